import type { AwsCredentialIdentity } from '@smithy/types';
import { misconfigured } from '../core/failure.ts';
import type { AssumedRole } from '../core/source/source.ts';

/** The longest that a role may be held by one who holds a role already (STS, role chaining). */
const sessionSeconds = 3600;

/**
 * Credentials of a role, asked for when first needed and again shortly before they end: the client that gets this keeps
 * them until then. `session`, the id of a source, shows in the owner's logs.
 */
export function assumeRole({ arn, externalId }: AssumedRole, session: string): () => Promise<AwsCredentialIdentity> {
  return async () => {
    // Loaded when a source has a role, which most stacks' sources do not.
    const { AssumeRoleCommand, STSClient } = await import('@aws-sdk/client-sts');
    const sts = new STSClient({});
    const request = {
      RoleArn: arn,
      ExternalId: externalId,
      RoleSessionName: sessionName(session),
      DurationSeconds: sessionSeconds,
    };
    const { Credentials: given } = await sts.send(new AssumeRoleCommand(request)).finally(() => sts.destroy());
    if (!given?.AccessKeyId || !given.SecretAccessKey || !given.SessionToken || !given.Expiration) {
      throw misconfigured('copy.noCredentials', `Assuming ${arn} gave no credentials.`);
    }
    return {
      accessKeyId: given.AccessKeyId,
      secretAccessKey: given.SecretAccessKey,
      sessionToken: given.SessionToken,
      expiration: given.Expiration,
    };
  };
}

/** STS: 2 to 64 letters, digits and +=,.@-, which ids of sources are made of. */
function sessionName(id: string): string {
  return id.length < 2 ? `source-${id}` : id.slice(0, 64);
}
