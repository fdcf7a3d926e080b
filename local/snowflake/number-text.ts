/**
 * How a VARIANT keeps its numbers exact. DuckDB would read a decimal as a double, so the loader writes every number
 * that a double might not hold as a string that begins with U+0001 and `n`; a string of the data that happens to begin
 * with U+0001 gets U+0001 and `s` in front, so the two can never be taken for each other. Nothing outside the stand-in
 * sees the marks: casts strip them in SQL (`variant_text`), result cells here.
 */
export const NUMBER_MARK = '\\u0001n';
export const STRING_MARK = '\\u0001s';

/** Any string of a document, whole, so that no escaped quote inside one is taken for the start of another. */
const STRINGS = /"((?:[^"\\]|\\.)*)"(\s*:)?/g;

/** The JSON text without marks. Names of members carry none. */
export function plainJson(json: string): string {
  if (!json.includes('\\u0001')) return json;
  return json.replace(STRINGS, (whole, text: string, colon: string | undefined) => {
    if (colon !== undefined) return whole;
    if (text.startsWith(NUMBER_MARK)) return text.slice(NUMBER_MARK.length);
    return text.startsWith(STRING_MARK) ? `"${text.slice(STRING_MARK.length)}"` : whole;
  });
}

/**
 * Whether the text of a JSON number needs the mark: integers beyond 15 digits and every decimal without an exponent.
 * With an exponent Snowflake itself reads a double (Snowflake docs: PARSE_JSON), and so it does beyond 38 digits.
 */
export function needsMark(number: string): boolean {
  if (number.length <= 15 && !number.includes('.')) return false;
  return !/[eE]/.test(number) && number.replace(/[-.]/g, '').replace(/^0+/, '').length <= 38;
}
