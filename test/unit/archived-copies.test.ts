import { expect, test } from 'vitest';
import { onCondition } from '../../adapters/s3-copy.ts';

const refusing = (name: string) => () =>
  Promise.reject(Object.assign(new Error(name), { name, $metadata: { httpStatusCode: 403 } }));

test.each(['InvalidObjectState', 'ObjectNotInActiveTierError'])(
  'a copy that S3 refuses as %s is of an object to be restored, not one that is denied',
  async (name) => {
    expect(await onCondition(refusing(name))).toBe('archived');
  },
);

test('any other refusal is thrown', async () => {
  await expect(onCondition(refusing('AccessDenied'))).rejects.toThrow('AccessDenied');
});
