/** An object or a file that can be read anywhere: what formats with their index at the end need. */
export interface RandomAccess {
  readonly sizeBytes: number;
  /** Bytes from `start` up to, but not including, `end`, both within the object. Rejects rather than deliver fewer. */
  read(start: number, end: number): Promise<Uint8Array>;
}
