import type { Operation } from './context.ts';
import { S3Error } from './errors.ts';
import { isArchived, readableVersion } from './read.ts';
import { receiveXml } from './receive.ts';
import { commitChange } from './write.ts';
import { textOf } from './xml.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Makes an archived object readable for some days. What takes S3 minutes to hours is done at once, and told. */
export const restoreObject: Operation = async (context, request) => {
  const { bucket, version } = readableVersion(context, request);
  const days = Number(textOf(await receiveXml(request, 'RestoreRequest'), 'Days'));
  if (!isArchived(version))
    throw new S3Error(403, 'InvalidObjectState', "Restore is not allowed for the object's current storage class");
  if (!(days >= 1)) throw new S3Error(400, 'MalformedXML', 'Days is expected, a whole number from 1');
  const untilMs = context.clock.now() + days * DAY_MS;
  const before = (version.restoredUntilMs ?? 0) > context.clock.now();
  const change = { do: 'restore', bucket: bucket.name, key: request.key, versionId: version.id, untilMs } as const;
  commitChange(context, request, bucket, version, 'ObjectRestore:Completed', [change]);
  return { status: before ? 200 : 202, headers: {} };
};
