import { DecodeError } from './codes.ts';

/** Damage; `why` goes on after "the Avro file is damaged:". */
export function corrupt(why: string): DecodeError {
  return new DecodeError('decode.corruptAvro', `the Avro file is damaged: ${why}`);
}

/** What is no damage and still cannot be read; `why` goes on after "the Avro file cannot be read:". */
export function unsupported(why: string): DecodeError {
  return new DecodeError('decode.unsupportedAvro', `the Avro file cannot be read: ${why}`);
}
