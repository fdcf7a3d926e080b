import { createHash } from 'node:crypto';

/** A name for a resource that declares none: stable for a stack and a logical id, and short enough for every service. */
export function generatedName(stackName: string, logicalId: string): string {
  const readable = `${stackName}-${logicalId}`.slice(0, 48);
  return `${readable}-${digest(`${stackName}/${logicalId}`).slice(0, 12)}`;
}

/** The same for a bucket: lower case, at most 63 characters. */
export const generatedBucketName = (stackName: string, logicalId: string): string =>
  generatedName(stackName, logicalId).toLowerCase();

/** A stable identifier in the shape of a UUID. */
export function generatedUuid(stackName: string, logicalId: string): string {
  const hex = digest(`uuid/${stackName}/${logicalId}`);
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

const digest = (seed: string): string => createHash('sha256').update(seed).digest('hex');
