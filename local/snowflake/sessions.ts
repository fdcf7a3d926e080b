import { randomUUID } from 'node:crypto';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Clock } from '../clock.ts';
import type { Session } from './context.ts';
import { provesKey } from './key-pair.ts';

export interface User {
  readonly name: string;
  readonly password?: string;
  /** SPKI, PEM: the key that `RSA_PUBLIC_KEY` of the user would hold. */
  readonly publicKeyPem?: string;
  readonly role?: string;
}

/** What the driver sends to log in, as far as it matters. */
export interface LoginRequest {
  readonly ACCOUNT_NAME?: string;
  readonly LOGIN_NAME?: string;
  readonly PASSWORD?: string;
  readonly AUTHENTICATOR?: string;
  readonly TOKEN?: string;
}

export type Login =
  | { readonly token: string; readonly masterToken: string; readonly sessionId: number; readonly session: Session }
  | { readonly refused: { readonly code: string; readonly message: string } };

export interface Sessions {
  login(request: LoginRequest, query: URLSearchParams): Promise<Login>;
  find(token: string): Session | undefined;
  /** A new token for the session that a master token belongs to. */
  renew(masterToken: string): { readonly token: string; readonly masterToken: string } | undefined;
  end(token: string): void;
  close(): void;
}

interface Options {
  readonly account: string;
  readonly users: readonly User[];
  readonly clock: Clock;
  connect(): Promise<DuckDBConnection>;
}

export function openSessions({ account, users, clock, connect }: Options): Sessions {
  const sessions = new Map<string, Session>();
  const masters = new Map<string, Session>();
  let lastId = 0;

  /** Which code refuses the login, if one does. */
  const refusal = (request: LoginRequest, user: User | undefined): { code: string; message: string } | undefined => {
    const rightAccount = request.ACCOUNT_NAME?.toUpperCase() === account.toUpperCase();
    if (request.AUTHENTICATOR === 'SNOWFLAKE_JWT') {
      const token = request.TOKEN ?? '';
      const proven = user?.publicKeyPem && provesKey(token, account, user.name, user.publicKeyPem, clock);
      return rightAccount && proven
        ? undefined
        : { code: '390144', message: `JWT token is invalid. [${randomUUID()}]` };
    }
    if ((request.AUTHENTICATOR ?? 'SNOWFLAKE') !== 'SNOWFLAKE')
      return {
        code: '390190',
        message: `The Snowflake stand-in does not support authenticator ${request.AUTHENTICATOR}. Use a password or a key pair.`,
      };
    const right = rightAccount && user?.password !== undefined && user.password === request.PASSWORD;
    return right ? undefined : { code: '390100', message: 'Incorrect username or password was specified.' };
  };

  return {
    async login(request, query) {
      const user = users.find(({ name }) => name.toUpperCase() === request.LOGIN_NAME?.toUpperCase());
      const refused = refusal(request, user);
      if (refused || !user)
        return { refused: refused ?? { code: '390100', message: 'Incorrect username or password was specified.' } };
      const session: Session = {
        user: user.name.toUpperCase(),
        connection: await connect(),
        role: (query.get('roleName') ?? user.role ?? 'PUBLIC').toUpperCase(),
        warehouse: query.get('warehouse')?.toUpperCase(),
        database: query.get('databaseName')?.toUpperCase(),
        schema: query.get('schemaName')?.toUpperCase() ?? (query.has('databaseName') ? 'PUBLIC' : undefined),
      };
      const [token, masterToken] = [randomUUID(), randomUUID()];
      sessions.set(token, session);
      masters.set(masterToken, session);
      return { token, masterToken, sessionId: ++lastId, session };
    },
    find: (token) => sessions.get(token),
    renew(masterToken) {
      const session = masters.get(masterToken);
      if (!session) return undefined;
      const token = randomUUID();
      sessions.set(token, session);
      return { token, masterToken };
    },
    end(token) {
      const session = sessions.get(token);
      for (const held of [sessions, masters]) for (const [key, value] of held) if (value === session) held.delete(key);
      session?.connection.closeSync();
    },
    close() {
      for (const session of new Set(sessions.values())) session.connection.closeSync();
      sessions.clear();
      masters.clear();
    },
  };
}
