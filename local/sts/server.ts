/** The Security Token Service for one machine: AssumeRole. It speaks AWS's query protocol: form in, XML out. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../clock.ts';
import { type Call, type Fault, type FaultHook, principalOf } from '../faults.ts';
import type { Caller } from '../s3/access.ts';
import { element } from '../s3/xml.ts';

/** A role that others may take. */
export interface LocalRole {
  readonly arn: string;
  /** Asked of everybody who takes it, when given. */
  readonly externalId?: string | undefined;
  /** ARNs of the roles that its trust names; everybody when absent. */
  readonly trusts?: readonly string[] | undefined;
}

export interface StsOptions {
  readonly clock: Clock;
  readonly port?: number;
  readonly faults?: FaultHook;
  /** The role of a function, by the access key id that its instance signs with. */
  readonly roleOf: (principal: string) => string | undefined;
}

export interface LocalSts {
  readonly endpoint: string;
  /** Makes a role, or changes its trust; sessions that there are go on. */
  addRole(role: LocalRole): void;
  /** The session that signs with this access key id. */
  sessionOf(principal: string): Caller | undefined;
  /** Every session ends now, as if its time were over. */
  expireSessions(): void;
  close(): Promise<void>;
}

const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';
/** STS: 15 minutes to 12 hours, and an hour at most for who holds a role already. */
const SHORTEST_SECONDS = 900;
const LONGEST_CHAINED_SECONDS = 3600;

class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Starts a local STS on 127.0.0.1. */
export async function startSts({ clock, port, faults, roleOf }: StsOptions): Promise<LocalSts> {
  const roles = new Map<string, LocalRole>();
  const sessions = new Map<string, Caller>();
  const answer = async (message: IncomingMessage): Promise<string | undefined> => {
    const form = new URLSearchParams(await textOf(message));
    const principal = principalOf(message.headers.authorization);
    const call: Call = { service: 'sts', operation: form.get('Action') ?? '', principal };
    refuse(await faults?.(call, 'before'));
    if (call.operation !== 'AssumeRole') throw unsupported(call.operation);
    const session = assume(form, roles, roleOf(principal));
    const id = `ASIA${String(sessions.size + 1).padStart(4, '0')}`;
    const expiresMs = clock.now() + session.seconds * 1000;
    sessions.set(id, { roleArn: session.roleArn, expiresMs });
    const lost = await faults?.(call, 'after');
    return lost?.kind === 'lostReply' ? undefined : replyXml(id, new Date(expiresMs));
  };
  const server = createServer((message, response) => {
    answer(message)
      .then((xml) => (xml === undefined ? response.destroy() : response.writeHead(200, headersOf(clock)).end(xml)))
      .catch((error: unknown) => {
        const { status, code, message } =
          error instanceof Refusal ? error : new Refusal(500, 'InternalFailure', String(error));
        response.writeHead(status, headersOf(clock)).end(errorXml(code, message));
      });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port ?? 0, '127.0.0.1', resolve);
  });
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    addRole: (role) => void roles.set(role.arn, role),
    sessionOf: (principal) => sessions.get(principal),
    expireSessions() {
      for (const [id, session] of sessions) sessions.set(id, { ...session, expiresMs: clock.now() });
    },
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}

function assume(
  form: URLSearchParams,
  roles: ReadonlyMap<string, LocalRole>,
  caller: string | undefined,
): { roleArn: string; seconds: number } {
  const roleArn = form.get('RoleArn') ?? '';
  const seconds = Number(form.get('DurationSeconds') ?? LONGEST_CHAINED_SECONDS);
  if (!(seconds >= SHORTEST_SECONDS && seconds <= LONGEST_CHAINED_SECONDS))
    throw new Refusal(400, 'ValidationError', `DurationSeconds ${seconds} is not within 900 and 3600.`);
  if (!/^[\w+=,.@-]{2,64}$/.test(form.get('RoleSessionName') ?? ''))
    throw new Refusal(400, 'ValidationError', 'RoleSessionName is 2 to 64 letters, digits and +=,.@-.');
  const role = roles.get(roleArn);
  const trusted = role && (role.trusts === undefined || (caller !== undefined && role.trusts.includes(caller)));
  // STS does not tell a role that is not there from one that may not be taken.
  if (!role || !trusted || (role.externalId !== undefined && role.externalId !== form.get('ExternalId')))
    throw new Refusal(403, 'AccessDenied', `User is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`);
  return { roleArn, seconds };
}

function refuse(fault: Fault | undefined): void {
  if (fault?.kind === 'throttle') throw new Refusal(400, 'Throttling', 'Rate exceeded');
  if (fault?.kind === 'error') throw new Refusal(fault.status, fault.code, 'An error that was asked for.');
}

const unsupported = (operation: string) =>
  new Refusal(
    400,
    'InvalidAction',
    `${operation || 'No action'} is not supported by the local STS, only AssumeRole is.`,
  );

const headersOf = (clock: Clock) => ({ 'content-type': 'text/xml', date: new Date(clock.now()).toUTCString() });

function replyXml(accessKeyId: string, expiration: Date): string {
  const credentials = element('Credentials', [
    element('AccessKeyId', accessKeyId),
    element('SecretAccessKey', 'local'),
    element('SessionToken', `session-${accessKeyId}`),
    element('Expiration', expiration.toISOString()),
  ]);
  return `<AssumeRoleResponse xmlns="${NAMESPACE}">${element('AssumeRoleResult', [credentials])}</AssumeRoleResponse>`;
}

function errorXml(code: string, message: string): string {
  const error = element('Error', [element('Code', code), element('Message', message)]);
  return `<ErrorResponse xmlns="${NAMESPACE}">${error}</ErrorResponse>`;
}

async function textOf(message: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of message) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString();
}
