/** What the S3 calls of each function ask for: what its role is given, and what owners of buckets are asked to grant. */
export const rights = {
  /** HeadObject, GetObject, CopyObject and UploadPartCopy, of a version when an event names one. */
  read: ['s3:GetObject', 's3:GetObjectVersion'],
  /** ListObjectsV2; and without it a missing object answers 403, and nobody could tell `deleted` from `not allowed`. */
  list: ['s3:ListBucket'],
  decrypt: ['kms:Decrypt'],
  assume: ['sts:AssumeRole'],
  notify: ['sqs:SendMessage'],
} as const;

/**
 * The condition on ListBucket for these prefixes, undefined for every key. IfExists: looking for one object that is
 * missing is such a question too, and it carries no prefix.
 */
export function listCondition(
  prefixes: readonly string[],
  literal: (prefix: string) => string,
): { readonly StringLikeIfExists: { readonly 's3:prefix': readonly string[] } } | undefined {
  if (prefixes.includes('')) return undefined;
  return { StringLikeIfExists: { 's3:prefix': prefixes.map((prefix) => `${literal(prefix)}*`) } };
}

/**
 * The beginning of a key as an IAM statement spells it: `*`, `?` and `$` have meaning there, and characters beyond U+00FF
 * are refused (IAM API, PolicyDocument), so it ends before the first of them. A `*` follows it anyway.
 */
export function iamLiteral(prefix: string): string {
  const [spellable = ''] = /^[\t\n\r\u0020-\u00ff]*/.exec(prefix) ?? [];
  return spellable.replace(/[*?$]/g, (character) => `\${${character}}`);
}
