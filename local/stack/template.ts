import { readFileSync } from 'node:fs';

/** A CloudFormation template, read but not resolved. */
export interface Template {
  readonly parameters: Readonly<Record<string, Record<string, unknown>>>;
  readonly mappings: Readonly<Record<string, unknown>>;
  readonly conditions: Readonly<Record<string, unknown>>;
  readonly resources: Readonly<Record<string, TemplateResource>>;
  readonly outputs: Readonly<Record<string, Record<string, unknown>>>;
}

export interface TemplateResource {
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly dependsOn: readonly string[];
  readonly condition: string | undefined;
}

/** Sections that only describe, or that only CloudFormation itself acts on. */
const DESCRIPTIVE = new Set(['AWSTemplateFormatVersion', 'Description', 'Metadata', 'Rules']);

/** Reads a packaged template (JSON). A section that could change what is created, and is not known here, is refused. */
export function readTemplate(path: string): Template {
  const document: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (!isRecord(document)) throw new Error(`template ${path}: not an object`);
  return parseTemplate(document);
}

/** The same for a template that is an object already. */
export function parseTemplate(document: Readonly<Record<string, unknown>>): Template {
  const { Parameters, Mappings, Conditions, Resources, Outputs, ...others } = document;
  const unknown = Object.keys(others).filter((name) => !DESCRIPTIVE.has(name));
  if (unknown.length > 0)
    throw new Error(`template: section ${unknown.join(', ')} is not supported in the embedded cloud`);
  return {
    parameters: sectionOf(Parameters, 'Parameters') as Template['parameters'],
    mappings: sectionOf(Mappings, 'Mappings'),
    conditions: sectionOf(Conditions, 'Conditions'),
    outputs: sectionOf(Outputs, 'Outputs') as Template['outputs'],
    resources: Object.fromEntries(
      Object.entries(sectionOf(Resources, 'Resources')).map(([id, resource]) => [id, readResource(id, resource)]),
    ),
  };
}

function readResource(logicalId: string, resource: unknown): TemplateResource {
  const { Type, Properties, DependsOn, Condition } = isRecord(resource) ? resource : {};
  if (typeof Type !== 'string') throw new Error(`template: resource ${logicalId} has no Type`);
  return {
    type: Type,
    properties: isRecord(Properties) ? Properties : {},
    dependsOn: [DependsOn ?? []].flat().map(String),
    condition: typeof Condition === 'string' ? Condition : undefined,
  };
}

function sectionOf(section: unknown, name: string): Record<string, unknown> {
  if (section === undefined) return {};
  if (isRecord(section)) return section;
  throw new Error(`template: section ${name} is no object`);
}

/** True for a plain object: no list, no null. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
