/** Secrets Manager for one machine: the two calls that read a secret. */
import { createHash } from 'node:crypto';
import { type Exchange, type Json, parseBody, ServiceError, startAwsJson, unsupported } from '../aws-json.ts';
import type { Clock } from '../clock.ts';
import type { FaultHook } from '../faults.ts';

export interface SecretsOptions {
  readonly clock: Clock;
  /** Secret strings by name or ARN. Read anew at each call: replacing a value here is a rotation. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly port?: number;
  readonly faults?: FaultHook;
}

export interface LocalSecrets {
  readonly endpoint: string;
  close(): Promise<void>;
}

/** Starts a local Secrets Manager. Every secret has one version, staged AWSCURRENT. */
export async function startSecrets({ clock, secrets, port, faults }: SecretsOptions): Promise<LocalSecrets> {
  const createdAt = Math.floor(clock.now() / 1000);
  return startAwsJson({
    service: 'secretsmanager',
    target: 'secretsmanager',
    contentType: 'application/x-amz-json-1.1',
    namespace: 'com.amazonaws.secretsmanager',
    throttled: () => new ServiceError('ThrottlingException', 'Rate exceeded'),
    carryOut: async (exchange) => carryOut(secrets, createdAt, exchange),
    clock,
    port,
    faults,
  });
}

function carryOut(secrets: SecretsOptions['secrets'], createdAt: number, { operation, body }: Exchange): Json {
  if (operation !== 'GetSecretValue' && operation !== 'DescribeSecret') {
    throw unsupported('Secrets Manager', operation, 'It reads only: GetSecretValue, DescribeSecret.');
  }
  const input = parseBody(body);
  const secretId = String(input['SecretId'] ?? '');
  const [key, value] = Object.entries(secrets).find(([each]) => names(secretId, each)) ?? [];
  if (key === undefined || value === undefined) {
    throw new ServiceError(
      'ResourceNotFoundException',
      `Secrets Manager can't find the specified secret: ${secretId}.`,
    );
  }
  const versionId = versionOf(value);
  const identity = { ARN: arnOf(key), Name: nameOf(key), CreatedDate: createdAt };
  if (operation === 'DescribeSecret') {
    return { ...identity, LastChangedDate: createdAt, VersionIdsToStages: { [versionId]: ['AWSCURRENT'] } };
  }
  const stage = input['VersionStage'] ?? 'AWSCURRENT';
  if (stage !== 'AWSCURRENT' || (input['VersionId'] ?? versionId) !== versionId) {
    const message = `Secrets Manager can't find the specified version of ${secretId}. The local one keeps AWSCURRENT only.`;
    throw new ServiceError('ResourceNotFoundException', message);
  }
  return { ...identity, SecretString: value, VersionId: versionId, VersionStages: ['AWSCURRENT'] };
}

/** A secret answers to its name, its ARN, and its ARN without the six random characters at the end. */
function names(secretId: string, key: string): boolean {
  return (
    secretId === key || secretId === nameOf(key) || secretId === arnOf(key) || secretId === arnOf(key).slice(0, -7)
  );
}

function nameOf(key: string): string {
  return key.startsWith('arn:')
    ? key
        .split(':')
        .slice(6)
        .join(':')
        .replace(/-\w{6}$/, '')
    : key;
}

function arnOf(key: string): string {
  return key.startsWith('arn:') ? key : `arn:aws:secretsmanager:us-east-1:000000000000:secret:${key}-000000`;
}

/** A version id in the form of a UUID, the same for the same value. */
function versionOf(value: string): string {
  const hash = createHash('sha256').update(value).digest('hex');
  return [hash.slice(0, 8), hash.slice(8, 12), hash.slice(12, 16), hash.slice(16, 20), hash.slice(20, 32)].join('-');
}
