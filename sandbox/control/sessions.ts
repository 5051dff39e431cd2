import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { AwsError } from './ecs/types.ts';
import type { Moto } from './moto.ts';
import { inRange, Refused } from './refused.ts';
import { type Answer, awsError, errorAnswer, queryAnswer } from './wire/answer.ts';
import type { ApiCall } from './wire/call.ts';
import { objectOf, textOf, treeOfForm, type TreeObject } from './wire/tree.ts';

/** Who signs with an access key. */
export interface Session {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly token: string;
  readonly run: string;
  /** `arn:aws:sts::123456789012:assumed-role/deploy/session` */
  readonly arn: string;
  /** Sandbox time; undefined: never (the keys that a world hands out itself). */
  readonly expiresAt: number | undefined;
}

export interface Sessions {
  /** Keys for a role of the account; moto knows them as the account's own from then on. */
  issue(
    role: string,
    of: { readonly run: string; readonly name: string; readonly expiresAt?: number },
  ): Promise<Session>;
  of(accessKey: string | undefined): Session | undefined;
  /** AssumeRole and AssumeRoleWithWebIdentity. */
  assume(call: ApiCall, caller: Session | undefined): Promise<Answer>;
  /** What GitHub's OIDC end point would sign for a run. */
  identityToken(run: string, audience: string): string;
  /** The run that an identity token of this account was signed for. */
  runOf(token: string): string | undefined;
}

export interface SessionOptions {
  readonly moto: Moto;
  readonly account: string;
  readonly region: string;
  readonly now: () => number;
}

const AUDIENCE = 'sts.amazonaws.com';
const TOKEN_LIFE = 300_000;

export function openSessions({ moto, account, region, now }: SessionOptions): Sessions {
  const sessions = new Map<string, Session>();
  const secret = randomBytes(32);
  const sign = (text: string): string => createHmac('sha256', secret).update(text).digest('base64url');

  async function issue(
    role: string,
    of: { readonly run: string; readonly name: string; readonly expiresAt?: number },
  ): Promise<Session> {
    const fields = { Action: 'AssumeRole', Version: '2011-06-15', RoleArn: role, RoleSessionName: of.name };
    const assumed = await moto.query({ accessKey: 'front', region }, 'sts', fields);
    const credentials = objectOf(assumed['Credentials']);
    const session: Session = {
      accessKey: textOf(credentials['AccessKeyId']) ?? '',
      secretKey: textOf(credentials['SecretAccessKey']) ?? '',
      token: textOf(credentials['SessionToken']) ?? '',
      run: of.run,
      arn: textOf(objectOf(assumed['AssumedRoleUser'])['Arn']) ?? '',
      expiresAt: of.expiresAt,
    };
    sessions.set(session.accessKey, session);
    return session;
  }

  const payloadOf = (token: string): Readonly<Record<string, unknown>> | undefined => {
    const [header = '', payload = '', signature = ''] = token.split('.');
    const expected = sign(`${header}.${payload}`);
    const authentic =
      signature.length === expected.length && timingSafeEqual(Buffer.from(signature), Buffer.from(expected));
    return authentic
      ? (JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>)
      : undefined;
  };

  /** The run that may take the role, or why not. */
  function allowed(call: ApiCall, input: TreeObject, caller: Session | undefined): { readonly run: string } | AwsError {
    const role = textOf(input['RoleArn']) ?? '';
    if (call.operation === 'AssumeRole') {
      if (caller === undefined) return awsError('AccessDenied', 'Access denied', 403);
      if (role.startsWith(`arn:aws:iam::${account}:role/`)) return caller;
      const message = `User: ${caller.arn} is not authorized to perform: sts:AssumeRole on resource: ${role}`;
      return awsError('AccessDenied', message, 403);
    }
    const payload = payloadOf(textOf(input['WebIdentityToken']) ?? '');
    if (payload === undefined)
      return awsError(
        'InvalidIdentityToken',
        'The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)',
      );
    if (payload['aud'] !== AUDIENCE) return awsError('InvalidIdentityToken', 'Incorrect token audience');
    if (Number(payload['exp']) * 1_000 < now()) {
      const times = `current date/time ${Math.floor(now() / 1_000)} must be before the expiration date/time ${String(payload['exp'])}`;
      return awsError('ExpiredTokenException', `Token expired: ${times}`);
    }
    if (!role.startsWith(`arn:aws:iam::${account}:role/`)) {
      return awsError('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity', 403);
    }
    return { run: String(payload['run']) };
  }

  async function assumed(call: ApiCall, input: TreeObject, run: string): Promise<Answer> {
    const seconds = textOf(input['DurationSeconds']);
    inRange(seconds, 'durationSeconds', { min: 900, max: 43_200 });
    const name = textOf(input['RoleSessionName']) ?? '';
    if (!/^[\w+=,.@-]{2,64}$/.test(name)) {
      const rule = 'Member must satisfy regular expression pattern: [\\w+=,.@-]*';
      const message = `1 validation error detected: Value '${name}' at 'roleSessionName' failed to satisfy constraint: ${rule}`;
      throw new Refused('ValidationError', message);
    }
    const expiresAt = now() + Number(seconds ?? 3_600) * 1_000;
    const session = await issue(textOf(input['RoleArn']) ?? '', { run, name, expiresAt });
    return queryAnswer(call.operation, {
      Credentials: {
        AccessKeyId: session.accessKey,
        SecretAccessKey: session.secretKey,
        SessionToken: session.token,
        Expiration: new Date(expiresAt).toISOString(),
      },
      AssumedRoleUser: { AssumedRoleId: `AROASANDBOX:${name}`, Arn: session.arn },
      ...(call.operation === 'AssumeRole'
        ? {}
        : { Audience: AUDIENCE, Provider: 'token.actions.githubusercontent.com' }),
    });
  }

  return {
    issue,
    of: (accessKey) => (accessKey === undefined ? undefined : sessions.get(accessKey)),
    async assume(call, caller) {
      const input = treeOfForm(call.body.toString('utf8'));
      const may = allowed(call, input, caller);
      if ('kind' in may) return errorAnswer(call, may);
      try {
        return await assumed(call, input, may.run);
      } catch (error) {
        if (error instanceof Refused) return errorAnswer(call, error.error);
        throw error;
      }
    },
    identityToken(run, audience) {
      const issued = Math.floor(now() / 1_000);
      const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
      const payload = {
        iss: 'https://token.actions.githubusercontent.com',
        sub: 'repo:sandbox/sandbox:ref:refs/heads/main',
        aud: audience,
        iat: issued,
        // GitHub's live five minutes too: what retries longer must ask for a new one.
        exp: issued + TOKEN_LIFE / 1_000,
        account,
        run,
      };
      const signed = `${part({ typ: 'JWT', alg: 'HS256' })}.${part(payload)}`;
      return `${signed}.${sign(signed)}`;
    },
    runOf: (token) => payloadOf(token)?.['run'] as string | undefined,
  };
}
