import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../../deploy/folders.ts';
import { packageStack, templateFile } from '../../deploy/package.ts';

export interface Statement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: unknown;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

export interface TemplateResource {
  readonly Type: string;
  readonly DependsOn?: readonly string[];
  readonly DeletionPolicy?: string;
  // biome-ignore lint/suspicious/noExplicitAny: the shape of a property is what the tests are about
  readonly Properties: Record<string, any>;
}

export interface Template {
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Outputs: Readonly<Record<string, { readonly Value: unknown }>>;
}

export const fixtures = join(root, 'test', 'fixtures');

/** Packages the fixture sources for stage `test`, once for each `name` until an input changes. */
export async function packagedTemplate(name: string, withSnowflake: boolean): Promise<Template> {
  const dir = await packageStack({
    stage: 'test',
    outDir: join(root, '.firn', 'test', `${name}-${withSnowflake ? 'with' : 'without'}-snowflake`),
    sourcesDir: join(fixtures, 'stack-sources'),
    handlersDir: join(fixtures, 'stack-handlers'),
    snowflakeFile: join(fixtures, withSnowflake ? 'stack-snowflake.json' : 'no-such-file.json'),
  });
  return JSON.parse(await readFile(templateFile(dir), 'utf8'));
}

/** The resources of a type, by logical id. */
export function ofType(template: Template, type: string): [string, TemplateResource][] {
  return Object.entries(template.Resources).filter(([, resource]) => resource.Type === type);
}

/** The properties of one resource. */
export function properties(template: Template, logicalId: string): TemplateResource['Properties'] {
  const resource = template.Resources[logicalId];
  if (resource === undefined) throw new Error(`The template has no ${logicalId}`);
  return resource.Properties;
}

/** The logical id that `{ Fn::GetAtt: [id, …] }` or `{ Ref: id }` names. */
export function targetOf(value: unknown): string {
  const { Ref, 'Fn::GetAtt': getAtt } = value as { Ref?: string; 'Fn::GetAtt'?: [string, string] };
  const id = Ref ?? getAtt?.[0];
  if (id === undefined) throw new Error(`No reference: ${JSON.stringify(value)}`);
  return id;
}

/** All statements of the template, with where they stand. */
export function statements(template: Template): { readonly where: string; readonly statement: Statement }[] {
  return Object.entries(template.Resources).flatMap(([id, { Properties }]) => {
    const inline: { PolicyDocument: { Statement: Statement[] } }[] = Properties['Policies'] ?? [];
    const documents = [Properties['PolicyDocument'], ...inline.map((each) => each.PolicyDocument)].filter(Boolean);
    return documents.flatMap((document) =>
      (document.Statement as Statement[]).map((statement) => ({ where: id, statement })),
    );
  });
}

/** One or many, as many. */
export function listOf<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}
