import type { Connection, ConnectionOptions } from 'snowflake-sdk';
import { withoutQuotes } from '../core/snowflake/error-text.ts';

export interface SnowflakeOptions {
  /** `<organization>-<account>`, or a locator with its region. */
  readonly account: string;
  readonly user: string;
  /** PKCS 8, PEM, without a passphrase. Either this or a password. */
  readonly privateKeyPem?: string;
  readonly password?: string;
  readonly role?: string;
  readonly warehouse?: string;
  readonly database?: string;
  /** Where the account answers, when not at `<account>.snowflakecomputing.com`. */
  readonly accessUrl?: string;
}

export interface SnowflakeConnection {
  /**
   * Runs one statement; each `?` takes one bind. Numbers come as text, since a NUMBER has up to 38 digits; a VARIANT
   * as its JSON text, for the numbers in it; timestamps as Date, in UTC; SQL NULL as null.
   */
  query(
    sql: string,
    binds?: readonly (string | number | null)[],
  ): Promise<readonly Readonly<Record<string, unknown>>[]>;
  close(): Promise<void>;
}

/** Opens a session in UTC. Throws with what to check when Snowflake refuses the login. */
export async function connectSnowflake(options: SnowflakeOptions): Promise<SnowflakeConnection> {
  const connection = await login(options);
  const query: SnowflakeConnection['query'] = (sql, binds = []) => execute(connection, sql, binds);
  // Accounts default to a zone of their own, and dates would be cut there.
  await query("ALTER SESSION SET TIMEZONE = 'UTC'");
  return {
    query,
    close: () => new Promise((resolve) => connection.destroy(() => resolve())),
  };
}

/**
 * Loads the driver, once for all connections. On import it asks cloud metadata addresses where it runs, which hangs
 * where there are none, and it writes ./snowflake.log, which a Lambda has no place for; both must be off beforehand.
 */
async function loadDriver() {
  process.env['SNOWFLAKE_DISABLE_PLATFORM_DETECTION'] = 'true';
  process.env['SNOWFLAKE_DISABLE_MINICORE'] = '1';
  const { default: driver } = await import('snowflake-sdk');
  driver.configure({ logLevel: 'OFF', logFilePath: 'STDOUT', additionalLogToConsole: false });
  return driver;
}

async function login(options: SnowflakeOptions): Promise<Connection> {
  const { account, user, privateKeyPem, password, accessUrl, role, warehouse, database } = options;
  const driver = await loadDriver();
  const connection = driver.createConnection({
    account,
    username: user,
    ...(privateKeyPem ? { authenticator: 'SNOWFLAKE_JWT', privateKey: privateKeyPem } : { password: password ?? '' }),
    ...(role && { role }),
    ...(warehouse && { warehouse }),
    ...(database && { database }),
    ...(accessUrl && { accessUrl }),
    // The driver would otherwise hand out doubles for numbers, and parse a VARIANT into them.
    fetchAsString: ['Number', 'JSON'],
    // As text it would otherwise make NULL the word NULL.
    representNullAsStringNull: false,
  } satisfies ConnectionOptions);
  // connectAsync() resolves even when the login is refused.
  await new Promise<void>((resolve, reject) => {
    connection.connect((error) => (error ? reject(loginError(options, error)) : resolve()));
  });
  return connection;
}

function execute(connection: Connection, sql: string, binds: readonly (string | number | null)[]) {
  return new Promise<readonly Readonly<Record<string, unknown>>[]>((resolve, reject) => {
    connection.execute({
      sqlText: sql,
      binds: [...binds] as (string | number)[],
      complete: (error, _statement, rows) => (error ? reject(queryError(sql, error)) : resolve(rows ?? [])),
    });
  });
}

interface DriverError {
  readonly message: string;
  readonly code?: unknown;
  readonly sqlState?: unknown;
}

function loginError({ account, user, privateKeyPem }: SnowflakeOptions, error: DriverError): Error {
  const cure =
    LOGIN_CURES[String(error.code)] ??
    'Check that the account is spelt as in its URL and that this machine can reach it; network failures may be tried again.';
  const how = privateKeyPem ? 'key pair' : 'password';
  return new Error(
    `Logging in to Snowflake account ${account} as ${user} by ${how}: ${clause(error.message)} (code ${error.code}). ${cure}`,
    { cause: error },
  );
}

const LOGIN_CURES: Readonly<Record<string, string>> = {
  '390100': 'Check user and password; a user of TYPE = SERVICE has no password and needs a key pair.',
  '390144':
    "Check that the user's RSA_PUBLIC_KEY_FP (DESC USER) is the fingerprint of this key, that the account has no region " +
    'in it, and the clock of this machine.',
};

/** By SQL state class; a statement says what it was by its first words, never by its values. */
const QUERY_CURES: readonly (readonly [state: string, cure: string])[] = [
  ['42S02', "Make Firn's Snowflake objects, and check that the role has been granted this one."],
  ['02000', "Make Firn's Snowflake objects, and check that the role has been granted this one."],
  ['42501', 'Grant the privilege to the role of this session.'],
  ['0A000', 'Use a statement that this account supports.'],
  ['42', 'Correct the statement.'],
  ['22', 'Correct the value, or cast it with TRY_CAST.'],
  ['57014', 'Run it again, with a longer statement timeout.'],
];

/** Conversion errors quote the value, which is payload: it is cut out, and the driver's own error not passed on. */
function queryError(sql: string, error: DriverError): Error {
  const state = String(error.sqlState ?? '');
  const cure =
    QUERY_CURES.find(([start]) => state.startsWith(start))?.[1] ??
    'Run it again; if it persists, look it up in QUERY_HISTORY.';
  const code = [error.code, state].filter(Boolean).join(', SQL state ');
  const quotesValue = state.startsWith('22');
  const why = quotesValue ? withoutQuotes(clause(error.message)) : clause(error.message);
  const message = `Running ${firstWords(sql)} in Snowflake: ${why} (code ${code}). ${cure}`;
  return quotesValue ? new Error(message) : new Error(message, { cause: error });
}

function firstWords(sql: string): string {
  return /^\s*((?:[A-Za-z_]+\s*){1,3})/.exec(sql)?.[1]?.trim().replace(/\s+/g, ' ') ?? 'a statement';
}

/** A message without its full stop, on one line. */
function clause(message: string): string {
  return message.replace(/\s+/g, ' ').replace(/\.\s*$/, '');
}
