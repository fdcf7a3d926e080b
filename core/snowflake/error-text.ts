/** What Snowflake says of an error, without what it quotes: a conversion error quotes the value, which is payload. */
export function withoutQuotes(text: string): string {
  return text.replaceAll(/'[^']*'|"[^"]*"/g, "'…'");
}
