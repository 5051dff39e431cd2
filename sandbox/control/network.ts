import type { Account, Moto } from './moto.ts';

export interface Network {
  readonly vpc: string;
  /** One in each availability zone. */
  readonly subnets: readonly string[];
  readonly securityGroup: string;
}

export async function defaultNetwork(moto: Moto, account: Account): Promise<Network> {
  const ask = (action: string): Promise<string> =>
    moto.queryText(account, 'ec2', { Action: action, Version: '2016-11-15' });
  const subnets = await ask('DescribeSubnets');
  const groups = await ask('DescribeSecurityGroups');
  return {
    vpc: found(subnets, 'vpcId')[0] ?? '',
    subnets: [...new Set(found(subnets, 'subnetId'))],
    securityGroup: found(groups, 'groupId')[0] ?? '',
  };
}

const found = (xml: string, name: string): readonly string[] =>
  [...xml.matchAll(new RegExp(`<${name}>([^<]+)</${name}>`, 'g'))].map(([, value]) => value as string);
