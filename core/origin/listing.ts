/** An object as ListObjectsV2 reports it. */
export interface ListedObject {
  readonly key: string;
  readonly etag: string;
  readonly sizeBytes: number;
  readonly lastModifiedMs: number;
  /** True while an object in an archive tier is not restored. Intelligent-Tiering's archive tiers do not show here. */
  readonly archived: boolean;
}

/** One page: at most 1,000 objects, in byte order of their keys. */
export interface ListedPage {
  readonly objects: readonly ListedObject[];
  /** True when there is more behind this page. */
  readonly truncated: boolean;
}

/** Lists the keys of a bucket that start with `prefix` and sort behind `after`, a page at a time: one LIST call. */
export interface Lister {
  list(bucket: string, prefix: string, after: string | undefined): Promise<ListedPage>;
}

/** All pages below a prefix, one after the other; ends before page `mostPages` + 1. */
export async function* listPages(
  lister: Lister,
  bucket: string,
  prefix: string,
  mostPages = Number.POSITIVE_INFINITY,
): AsyncGenerator<ListedPage> {
  let after: string | undefined;
  for (let pages = 0; pages < mostPages; pages += 1) {
    const page = await lister.list(bucket, prefix, after);
    yield page;
    after = page.objects.at(-1)?.key;
    if (!page.truncated || after === undefined) return;
  }
}

/** True for what consoles make to show an empty folder: it is no data. */
export function isFolder({
  key,
  sizeBytes,
}: {
  readonly key: string;
  readonly sizeBytes?: number | undefined;
}): boolean {
  return sizeBytes === 0 && key.endsWith('/');
}
