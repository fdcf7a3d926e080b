/** A statement that fails the way Snowflake's do: a six-digit code, an SQL state, and a message that begins with its class. */
export class SqlError extends Error {
  readonly code: string;
  readonly sqlState: string;

  constructor(code: string, sqlState: string, message: string) {
    super(message);
    this.name = 'SqlError';
    this.code = code;
    this.sqlState = sqlState;
  }
}

/** What real Snowflake may well accept, and this stand-in does not. `what` names the kind of statement or clause. */
export function unsupported(what: string, hint = ''): SqlError {
  const advice = hint || 'Rewrite it with what the stand-in covers, or run it against a Snowflake account.';
  return new SqlError(
    '000002',
    '0A000',
    `SQL compilation error: Unsupported feature '${what}'. The Snowflake stand-in does not support it. ${advice}`,
  );
}

export function syntaxError(what: string): SqlError {
  return new SqlError('001003', '42000', `SQL compilation error: syntax error: ${what}.`);
}

/** Snowflake never says which of the two it is. */
export function doesNotExist(kind: string, name: string): SqlError {
  return new SqlError('002003', '42S02', `SQL compilation error: ${kind} '${name}' does not exist or not authorized.`);
}

export function alreadyExists(kind: string, name: string): SqlError {
  return new SqlError('002002', '42710', `SQL compilation error: ${kind} '${name}' already exists.`);
}
