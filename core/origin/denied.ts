import { type Failure, retryable } from '../failure.ts';
import type { RegisteredSource } from '../source/registry.ts';
import { type Origin, ownerOf } from '../source/source.ts';

/** What was asked of a source's bucket when it was denied. */
export type Asked = 'assume' | 'head' | 'read' | 'copy' | 'list';

/**
 * The error for a bucket that denies access: retryable, since its owner may mend it, `copy.accessDenied`, and with what
 * to ask the owner for. `place` is `s3://bucket/key`.
 */
export function accessDenied({ id, source }: RegisteredSource, asked: Asked, place: string, cause: unknown): Failure {
  const origin = source.config.from;
  const said = cause instanceof Error && cause.message !== '' ? ` (${cause.message})` : '';
  const message = `${doing(asked, origin)} ${place} for source ${id} was denied${said}. ${wayOut(id, origin, asked)}`;
  return retryable('copy.accessDenied', message, cause);
}

function doing(asked: Asked, origin: Origin): string {
  if (asked === 'assume') return `Assuming ${origin.role?.arn} to read`;
  return { head: 'Looking at', read: 'Reading', copy: 'Copying', list: 'Listing' }[asked];
}

function wayOut(id: string, origin: Origin, asked: Asked): string {
  if (typeof origin.bucket !== 'string') {
    return "The bucket is the stack's own and its role is made with it: deploy again, and look for a policy that denies it.";
  }
  const causes = [missing(asked, origin), ...otherCauses(origin, asked)];
  return `Either ${causes.join('; or ')}. What to send to the owner: npx firn grants --source ${id}. It is tried again.`;
}

function missing(asked: Asked, origin: Origin): string {
  const where = origin.role === undefined ? "the bucket's policy" : `the policy of ${origin.role.arn}`;
  switch (asked) {
    case 'assume':
      return "the role's trust does not name the stack's role, or asks for another external id than the source gives";
    case 'list':
      return `${where} lacks s3:ListBucket`;
    case 'head':
      return `${where} lacks s3:GetObject, or s3:ListBucket, without which a missing object is denied, too`;
    default: {
      const key = origin.kmsKey ?? 'the KMS key of the objects, which `kmsKey` must name then';
      return `${where} lacks s3:GetObject or s3:GetObjectVersion, or kms:Decrypt on ${key} is not granted`;
    }
  }
}

function otherCauses(origin: Origin, asked: Asked): readonly string[] {
  if (asked === 'assume') return [];
  const owner = ownerOf(origin);
  return [
    owner === undefined
      ? 'the bucket is of another account, which `account` must name then'
      : `the bucket does not belong to account ${owner}`,
    ...(origin.requesterPays ? [] : ['its requests must be paid by who asks: `requesterPays: true`']),
  ];
}
