import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the sources of a large stack read from, one kind after the other. */
const kinds: readonly ((index: number) => string)[] = [
  (index) => `{ bucket: ours('shop-${index % 10}'), prefix: 'feed-${index}/' }`,
  (index) => `{ bucket: 'existing-deliveries-${index}', prefix: 'out/', exclude: ['**/*.tmp'] }`,
  (index) => `{ bucket: 'partner-deliveries-${index}', account: '${account(index)}', prefix: 'daily/' }`,
  (index) => `{ bucket: 'role-deliveries-${index}', role: { arn: '${role(index)}', externalId: 'agreed-${index}' } }`,
  (index) => `{ bucket: 'sealed-deliveries-${index}', account: '${account(index)}', kmsKey: '${key(index)}' }`,
  (index) => `{ bucket: 'public-data-${index}', region: 'us-east-1', requesterPays: true, prefix: 'a/', poll: {} }`,
  (index) => `{ bucket: 'shared-deliveries', prefix: 'partner-${index}/', suffix: '.csv' }`,
  (index) => `{ bucket: 'polled-deliveries-${index}', account: '${account(index)}', prefix: 'x/y/', poll: {} }`,
];

const account = (index: number) => String(200_000_000_000 + (index % 40));
const role = (index: number) => `arn:aws:iam::${account(index)}:role/reader-for-firn-${index}`;
const key = (index: number) =>
  `arn:aws:kms:eu-central-1:${account(index)}:key/${String(index).padStart(8, '0')}-12ab-34cd-56ef-1234567890ab`;

/** Writes so many source files of mixed kinds into a folder, which is emptied first. */
export async function writeManySources(folder: string, count: number): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const from = kinds[index % kinds.length]?.(index);
      const fields = `{ orderId: text('no'), total: decimal('amount'), updatedAt: timestamp('updated') }`;
      const source = `import { decimal, defineSource, ours, text, timestamp } from 'firn';
void ours;
export default defineSource({
  from: ${from},
  entity: 'order',
  key: 'orderId',
  version: 'updatedAt',
  fields: ${fields},
});
`;
      await writeFile(join(folder, `feed-${String(index).padStart(3, '0')}.ts`), source);
    }),
  );
}
