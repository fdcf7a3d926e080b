/**
 * How Firn quotes what it puts into Snowflake SQL.
 *
 * Every name Firn makes is upper-case and would be valid without quotes; it is quoted anyway, so that a name which is
 * a keyword somewhere in the grammar can never change the meaning of a statement. Unquoted, it still resolves.
 */
const PLAIN = /^[A-Z_][A-Z0-9_$]*$/;
/** Snowflake limits every identifier to 255 characters. */
const MAX_LENGTH = 255;

/**
 * A quoted identifier. Refuses what is not an upper-case name that would also resolve without quotes: users type these
 * names by hand, and `"orders"` and ORDERS are two different tables to Snowflake.
 */
export function identifier(name: string): string {
  if (!PLAIN.test(name) || name.length > MAX_LENGTH)
    throw new Error(
      `Naming a Snowflake object: "${name}" is no plain upper-case identifier of at most ${MAX_LENGTH} characters. ` +
        'Use letters A-Z, digits, _ and $, beginning with a letter or _.',
    );
  return `"${name}"`;
}

/** A dotted name of quoted identifiers, outermost first: database, schema, object. */
export function qualified(...names: readonly string[]): string {
  return names.map(identifier).join('.');
}

/** A string literal. A backslash is an escape inside Snowflake's single quotes, so it is doubled like the quote. */
export function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
