/** Names of hosts that the cloud gives, as its API says them. */
export interface ServiceAddresses {
  /** The value of an output of a CloudFormation stack. */
  stackOutput(at: { readonly stack: string; readonly output: string }, signal: AbortSignal): Promise<string>;
  /** The DNS name of the load balancer in front of these target groups. */
  loadBalancer(targetGroupArns: readonly string[], signal: AbortSignal): Promise<string>;
}
