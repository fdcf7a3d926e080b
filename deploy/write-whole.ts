import { rename, writeFile } from 'node:fs/promises';

/** Writes a file so that others see the old one or the new one, never half of it: two packagings may run side by side. */
export async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  const draft = `${file}.${process.pid}.draft`;
  await writeFile(draft, content);
  await rename(draft, file);
}
