import { DecodeError } from './codes.ts';

/** Behind which no row can be found any more; `count` is how many were. */
export function corruptXml(count: number, reason: string): DecodeError {
  const where = count === 0 ? 'before its first row' : `behind row ${count - 1}`;
  return new DecodeError('decode.corruptXml', `the XML cannot be read any further ${where}: ${reason}`);
}

export function declaresThings(): DecodeError {
  const message = 'the document type declares entities or attributes of its own, which are not read: take the DTD out';
  return new DecodeError('decode.unsupportedXml', message);
}

/** Names are no payload, but whatever stands where one should can be long. */
export function shownName(name: string): string {
  return name.length > 60 ? `${name.slice(0, 60)}…` : name;
}
