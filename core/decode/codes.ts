/** Why one row could not be decoded. A value, never thrown: the row goes to quarantine and decoding goes on. */
export type RowFault =
  | 'decode.invalidUtf8'
  | 'decode.invalidJson'
  | 'decode.invalidXml'
  | 'decode.notAnObject'
  | 'decode.tooDeep'
  | 'decode.rowTooLong'
  | 'decode.truncated'
  | 'decode.noRows'
  | 'decode.raggedRow'
  | 'decode.badCell'
  | 'decode.shortRow'
  | 'decode.longRow'
  | 'decode.textAfterQuote'
  | 'decode.unterminatedQuote';

/** Why a whole object cannot be decoded (`unknownFormat`, `badFormat`, `badHeader`, `nested`) or not any further (the others). */
export type DecodeErrorCode =
  | 'decode.badFormat'
  | 'decode.badHeader'
  | 'decode.unknownFormat'
  | 'decode.corruptGzip'
  | 'decode.corruptZstd'
  | 'decode.corruptBzip2'
  | 'decode.corruptBrotli'
  | 'decode.corruptXml'
  | 'decode.unsupportedXml'
  | 'decode.corruptParquet'
  | 'decode.unsupportedParquet'
  | 'decode.corruptAvro'
  | 'decode.unsupportedAvro'
  | 'decode.tooLarge'
  | 'decode.corruptXlsx'
  | 'decode.unsupportedXlsx'
  | 'decode.noSheet'
  | 'decode.corruptZip'
  | 'decode.corruptTar'
  | 'decode.unsupportedZip'
  | 'decode.tooManyMembers'
  | 'decode.nested'
  | 'decode.bomb';

/**
 * An object that cannot be decoded. Tell the cases apart by `code`. The message does not name the object, because a
 * decoder sees only bytes: the caller adds `s3://bucket/key`.
 */
export class DecodeError extends Error {
  readonly code: DecodeErrorCode;

  constructor(code: DecodeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DecodeError';
    this.code = code;
  }
}
