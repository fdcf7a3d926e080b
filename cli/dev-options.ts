import { join, resolve } from 'node:path';
import { root } from '../deploy/folders.ts';
import type { Ports } from '../local/stack/services.ts';
import { readOptions } from './options.ts';
import { UsageError } from './usage-error.ts';

export interface DevOptions {
  readonly ports: Required<Ports>;
  /** Absolute path of the folder that keeps everything; undefined when nothing is kept. */
  readonly keep: string | undefined;
  readonly json: boolean;
}

/** In the order in which `--port-base` counts them. */
export const services = ['s3', 'sqs', 'dynamodb', 'snowflake', 'secrets', 'sts'] as const satisfies (keyof Ports)[];
export const defaultBase = 9700;
const highestPort = 65_535;

/** Reads the arguments of `firn dev`. Throws a UsageError that says what does not fit. */
export function readDevOptions(args: readonly string[]): DevOptions {
  const { values, positionals } = readOptions({
    // `--keep` takes a folder or none, which the parser does not know.
    args: args.flatMap((each) => (each.startsWith('--keep=') ? ['--keep', each.slice('--keep='.length)] : [each])),
    allowPositionals: true,
    options: {
      ports: { type: 'string' },
      'port-base': { type: 'string' },
      keep: { type: 'boolean' },
      json: { type: 'boolean' },
    },
  });
  const [folder, ...others] = positionals;
  const stray = values.keep ? others[0] : folder;
  if (stray !== undefined) throw new UsageError(`There is no argument ${stray}.`);
  const keep = values.keep ? resolve(folder ?? join(root, '.firn', 'dev')) : undefined;
  return { ports: portsOf(values['port-base'], values.ports), keep, json: values.json === true };
}

function portsOf(base: string | undefined, given: string | undefined): Required<Ports> {
  const first = base === undefined ? defaultBase : portNumber(base, '--port-base');
  const ports = Object.fromEntries(services.map((name, at) => [name, first === 0 ? 0 : first + at])) as Record<
    keyof Ports,
    number
  >;
  for (const pair of given?.split(',') ?? []) {
    const [name = '', port] = pair.split('=');
    const known = services.find((each) => each === name);
    if (known === undefined || port === undefined) {
      throw new UsageError(
        `--ports takes pairs such as s3=9000,sqs=9001 of ${services.join(', ')}; "${pair}" is none.`,
      );
    }
    ports[known] = portNumber(port, `--ports ${name}`);
  }
  const taken = new Map<number, string>();
  for (const name of services) {
    const other = ports[name] === 0 ? undefined : taken.get(ports[name]);
    if (other) throw new UsageError(`${name} and ${other} cannot both have port ${ports[name]}.`);
    if (ports[name] > highestPort)
      throw new UsageError(`${name} would have port ${ports[name]}; ${highestPort} is the highest.`);
    taken.set(ports[name], name);
  }
  return ports;
}

function portNumber(text: string, what: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= highestPort) return port;
  throw new UsageError(`${what}: "${text}" is no port. Give a whole number up to ${highestPort}; 0 picks a free one.`);
}
