import type { Kind, Path } from './field.ts';

/** What was found of one field in sampled rows: every value of it that is neither missing nor null. */
export interface Samples {
  /** As the file names it. */
  readonly name: string;
  readonly values: readonly unknown[];
  /** How many there were, where equal ones are given once. */
  readonly count?: number;
  /** The file tells numbers from text, as JSON does: then what is written as text is meant as text. */
  readonly typed: boolean;
  /** Other columns of the file put the month before the day, or the day before the month; undefined when none tells. */
  readonly monthFirst: boolean | undefined;
}

export type Option = string | boolean | readonly string[];

/** Something about a field that a person should look at, without any value of it. */
export interface Doubt {
  /** The field's name; of a field inside others, with theirs: `address.city`. */
  readonly field: string;
  readonly message: string;
}

/** A field type, with its options, that accepts every sampled value. */
export interface Inferred {
  readonly kind: Kind;
  readonly options?: Readonly<Record<string, Option>>;
  /** Of a list: what its elements are. */
  readonly of?: Inferred & { readonly optional: boolean };
  /** Of an object. */
  readonly fields?: readonly InferredField[];
  readonly doubts?: readonly Doubt[];
}

export interface InferredField extends Inferred {
  readonly name: string;
  readonly from: Path;
  /** In some row it is missing, null or, for what is no text, blank. */
  readonly optional: boolean;
}
