/** Where CloudWatch has what a color serves. */
export type Meter =
  | { readonly kind: 'target-group'; readonly name: string }
  | {
      readonly kind: 'load-balancer';
      readonly region: string;
      /** `app/shop/50dc6c495c0c9188`: the end of its ARN. */
      readonly loadBalancer: string;
      /** `targetgroup/shop/6d0ecf831eec9f09`, when it has exactly one. */
      readonly targetGroup: string | undefined;
    }
  /** No load balancer of this account serves it. */
  | { readonly kind: 'none' };
