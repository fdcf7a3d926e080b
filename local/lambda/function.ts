import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** A function as its template declares it, with everything an execution environment needs to start. */
export interface FunctionSpec {
  readonly name: string;
  readonly arn: string;
  /** Short name; environments are called `<label>-<n>`, which is also the access key id they sign with. */
  readonly label: string;
  /** Absolute path of the module that exports the handler. */
  readonly module: string;
  readonly exportName: string;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  readonly region: string;
  /** Queue for asynchronous events that were given up. */
  readonly deadLetterArn?: string;
  /** The function's own variables. */
  readonly environment: Readonly<Record<string, string>>;
  /** Variables that say where the services are: `AWS_ENDPOINT_URL_S3` and its kin. */
  readonly endpoints: Readonly<Record<string, string>>;
}

/** Splits `Handler` (`folder/index.handler`) and finds its module in `directory`: .mjs, then .js, then .cjs. */
export function locateHandler(directory: string, handler: string): { module: string; exportName: string } {
  const dot = handler.lastIndexOf('.');
  const name = handler.slice(0, dot);
  const module = ['mjs', 'js', 'cjs'].map((ending) => join(directory, `${name}.${ending}`)).find(existsSync);
  if (dot > 0 && module !== undefined) return { module, exportName: handler.slice(dot + 1) };
  throw new Error(
    `handler "${handler}": no ${name}.mjs, .js or .cjs in the function's package; build the bundles first`,
  );
}

/**
 * The whole environment of one instance: what Lambda gives, where the services are, and the function's own variables.
 * The two AWS_*_FILE names keep the SDK away from the configuration of whoever runs this machine.
 */
export function environmentOf(spec: FunctionSpec, principal: string): Record<string, string> {
  return {
    AWS_CONFIG_FILE: '/nonexistent/config',
    AWS_SHARED_CREDENTIALS_FILE: '/nonexistent/credentials',
    ...spec.environment,
    ...spec.endpoints,
    AWS_REGION: spec.region,
    AWS_DEFAULT_REGION: spec.region,
    AWS_ACCESS_KEY_ID: principal,
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: spec.name,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(spec.memoryMb),
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${spec.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: principal,
  };
}
