/** Reading request documents of the SQS API: parameters by name and kind, and the entries of a batch. */
import { type Json, ServiceError } from '../aws-json.ts';

/** A batch answers each entry by its own id: what failed does not hold back the others. */
export function eachEntry(entries: readonly Json[], act: (entry: Json) => Json): Json {
  const Successful: Json[] = [];
  const Failed: Json[] = [];
  for (const entry of entries) {
    try {
      Successful.push({ Id: entry['Id'], ...act(entry) });
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      Failed.push({ Id: entry['Id'], SenderFault: error.status < 500, Code: error.code, Message: error.message });
    }
  }
  return { Successful, Failed };
}

export function batchEntries(input: Json): readonly Json[] {
  const entries = (input['Entries'] ?? []) as readonly Json[];
  const ids = entries.map((entry) => String(entry['Id'] ?? ''));
  if (entries.length === 0)
    throw new ServiceError('EmptyBatchRequest', 'There should be at least one entry in the request.');
  if (entries.length > 10) {
    throw new ServiceError(
      'TooManyEntriesInBatchRequest',
      `Maximum number of entries per request are 10. You have sent ${entries.length}.`,
    );
  }
  if (!ids.every((id) => /^[A-Za-z0-9_-]{1,80}$/.test(id))) {
    throw new ServiceError('InvalidBatchEntryId', 'A batch entry id is 1 to 80 letters, digits, - or _.');
  }
  if (new Set(ids).size < ids.length)
    throw new ServiceError('BatchEntryIdsNotDistinct', 'Two or more batch entries have the same Id.');
  return entries;
}

export function text(input: Json, name: string): string {
  const value = input[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new ServiceError('MissingParameter', `The request must contain the parameter ${name}.`);
}

export function names(input: Json, name: string): readonly string[] {
  return (input[name] ?? []) as readonly string[];
}

export function optionalNumber(input: Json, name: string): number | undefined {
  return input[name] === undefined || input[name] === null ? undefined : Number(input[name]);
}

export function within(input: Json, name: string, lowest: number, highest: number): number | undefined {
  const value = optionalNumber(input, name);
  if (value === undefined || (Number.isInteger(value) && value >= lowest && value <= highest)) return value;
  throw new ServiceError(
    'InvalidParameterValue',
    `Value ${value} for parameter ${name} is invalid. Reason: Must be between ${lowest} and ${highest}, if provided.`,
  );
}
