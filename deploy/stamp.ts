import { createHash, type Hash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';

/**
 * A hash over files and folders by relative path and content. What does not exist counts as such.
 * Equal stamps mean equal inputs: times and the order of a listing do not count.
 */
export async function stampOf(paths: readonly string[], words: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([paths, words]));
  for (const path of paths) await addPath(hash, path);
  return hash.digest('hex');
}

async function addPath(hash: Hash, path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    hash.update('\0absent');
  } else if (found.isFile()) {
    hash.update('\0file\0').update(await readFile(path));
  } else {
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    const files = entries.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
    for (const file of files.sort()) {
      const content = await readFile(file);
      hash.update(`\0${relative(path, file)}\0${content.byteLength}\0`).update(content);
    }
  }
}
