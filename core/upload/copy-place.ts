import { archiveKind } from '../decode/archive.ts';
import type { RegisteredSource } from '../source/registry.ts';
import { archiveKey } from './archive-key.ts';
import type { CopyStore, ObjectFacts } from './copy.ts';
import { dayOf, landingKey, safeBaseName } from './landing-key.ts';

/**
 * The key of an upload's copy: under `archive/` when its first bytes say that it is an archive and its source unpacks
 * those. The bytes alone decide, so that every worker gives the same. `changed`: the object was overwritten or deleted
 * meanwhile; `archived`: it has to be restored before it can be read.
 */
export async function copyPlace(
  registered: RegisteredSource,
  uploadId: string,
  found: ObjectFacts,
  store: Pick<CopyStore, 'read'>,
): Promise<{ readonly key: string } | 'precondition' | 'archived'> {
  const name = {
    ...{ sourceId: registered.id, uploadId },
    ...{ day: dayOf(found.lastModifiedMs), baseName: safeBaseName(found.key) },
  };
  if (registered.source.config.from.unpack === false || found.sizeBytes === 0) return { key: landingKey(name) };
  let refused: 'precondition' | 'archived' | undefined;
  const readHead = async (bytes: number) => {
    const head = await store.read(found, 0, Math.min(bytes, found.sizeBytes) - 1);
    if (typeof head !== 'string') return head;
    refused = head;
    return new Uint8Array();
  };
  const kind = await archiveKind(readHead, found.key);
  return refused ?? { key: kind ? archiveKey(name) : landingKey(name) };
}
