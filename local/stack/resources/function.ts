import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { unzipSync } from 'fflate';
import { type FunctionSpec, locateHandler } from '../../lambda/function.ts';
import { generatedName } from '../names.ts';
import { type Declaration, record, refuse, refuseUnknown, requiredText, text, whole } from '../properties.ts';
import type { Create, World } from '../world.ts';

const KNOWN = {
  used: [
    'FunctionName',
    'Handler',
    'Code',
    'Runtime',
    'Timeout',
    'MemorySize',
    'Environment',
    'DeadLetterConfig',
    'PackageType',
    'ReservedConcurrentExecutions',
    'Role',
  ],
  ignored: [
    'Architectures',
    'CodeSigningConfigArn',
    'Description',
    'EphemeralStorage',
    'KmsKeyArn',
    'LoggingConfig',
    'RecursiveLoop',
    'RuntimeManagementConfig',
    'Tags',
    'TracingConfig',
    'VpcConfig',
  ],
};
const DEFAULT_TIMEOUT_SECONDS = 3;
const DEFAULT_MEMORY_MB = 128;
const LONGEST_TIMEOUT_SECONDS = 900;
/** All names and values together (Lambda quota: 4 KB). */
const ENVIRONMENT_BYTES = 4096;
/** Names that Lambda sets itself and refuses in a function's configuration. */
const RESERVED =
  /^(_HANDLER|AWS_(REGION|DEFAULT_REGION|EXECUTION_ENV|ACCESS_KEY(_ID)?|SECRET_ACCESS_KEY|SESSION_TOKEN|LAMBDA_.*))$/;

/** AWS::Lambda::Function: unpacks its package into the data folder and makes an empty pool for it. */
export const createFunction: Create = (declaration, world) => {
  refuseUnknown(declaration, KNOWN);
  const { properties, logicalId } = declaration;
  const runtime = requiredText(declaration, 'Runtime');
  if (!runtime.startsWith('nodejs')) refuse(`runtime ${runtime}: the embedded cloud runs Node only`);
  if ((text(properties, 'PackageType') ?? 'Zip') !== 'Zip') refuse('container images are not supported');
  const name = text(properties, 'FunctionName') ?? generatedName(world.stackName, logicalId);
  const arn = `arn:aws:lambda:${world.region}:${world.accountId}:function:${name}`;
  const timeoutSeconds = whole(properties, 'Timeout') ?? DEFAULT_TIMEOUT_SECONDS;
  if (!(timeoutSeconds >= 1 && timeoutSeconds <= LONGEST_TIMEOUT_SECONDS)) {
    refuse(`Timeout ${timeoutSeconds} is outside 1 to ${LONGEST_TIMEOUT_SECONDS}`);
  }
  const concurrency = whole(properties, 'ReservedConcurrentExecutions');
  if (concurrency === 0) refuse('ReservedConcurrentExecutions 0 would never run anything');

  const deadLetterArn = text(record(properties, 'DeadLetterConfig'), 'TargetArn');
  if (deadLetterArn !== undefined) world.deadLetterArns.add(deadLetterArn);

  const directory = unpack(declaration, world, name);
  const spec: FunctionSpec = {
    name,
    arn,
    label: labelOf(logicalId),
    ...locateHandler(directory, requiredText(declaration, 'Handler')),
    memoryMb: whole(properties, 'MemorySize') ?? DEFAULT_MEMORY_MB,
    timeoutSeconds,
    region: world.region,
    ...(deadLetterArn === undefined ? {} : { deadLetterArn }),
    environment: { ...environmentOf(declaration), ...world.environment },
    endpoints: {
      AWS_ENDPOINT_URL_S3: world.services.s3.endpoint,
      AWS_ENDPOINT_URL_SQS: world.services.sqs.endpoint,
      AWS_ENDPOINT_URL_DYNAMODB: world.services.dynamodb.endpoint,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: world.services.secrets.endpoint,
      AWS_ENDPOINT_URL_STS: world.services.sts.endpoint,
    },
  };
  const role = text(properties, 'Role');
  if (role !== undefined) world.services.functionRoles.set(spec.label, role);
  world.pools.set(name, world.createPool({ spec, concurrency }));
  return { ref: name, attributes: { Arn: arn } };
};

/** `CopyDashFilesLambdaFunction`, as the Serverless Framework names it, becomes `copy-files`. */
function labelOf(logicalId: string): string {
  const name = logicalId
    .replace(/LambdaFunction$/, '')
    .split('Dash')
    .join('-')
    .split('Underscore')
    .join('_');
  return name.charAt(0).toLowerCase() + name.slice(1);
}

function environmentOf(declaration: Declaration): Record<string, string> {
  const variables = record(record(declaration.properties, 'Environment'), 'Variables');
  const environment = Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, String(value)]));
  const reserved = Object.keys(environment).filter((name) => RESERVED.test(name));
  if (reserved.length > 0) refuse(`${reserved.join(', ')} is set by Lambda and cannot be configured`);
  const bytes = Object.entries(environment).reduce((sum, entry) => sum + Buffer.byteLength(entry.join('')), 0);
  if (bytes > ENVIRONMENT_BYTES) refuse(`its variables take ${bytes} bytes, Lambda allows ${ENVIRONMENT_BYTES}`);
  return environment;
}

function unpack(declaration: Declaration, world: World, name: string): string {
  const key = text(record(declaration.properties, 'Code'), 'S3Key');
  if (key === undefined) refuse('Code has no S3Key; only packaged functions can run');
  const archive = join(world.packageDir, posix.basename(key));
  if (!existsSync(archive)) refuse(`its package ${archive} does not exist; package the stack first`);
  const directory = join(world.dataDir, 'functions', name);
  rmSync(directory, { recursive: true, force: true });
  for (const [path, bytes] of Object.entries(unzipSync(readFileSync(archive)))) {
    if (path.endsWith('/')) continue;
    if (path.split('/').includes('..')) refuse(`its package ${archive} holds the path ${path}`);
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), bytes);
  }
  return directory;
}
