/** Queue attributes: the strings of CreateQueue, SetQueueAttributes and GetQueueAttributes, and what they mean. */
import { ServiceError } from '../aws-json.ts';

export interface QueueSettings {
  readonly visibilityTimeoutSeconds: number;
  readonly retentionSeconds: number;
  readonly delaySeconds: number;
  /** Wait of a ReceiveMessage call that names none, in seconds. */
  readonly receiveWaitSeconds: number;
  readonly maxMessageBytes: number;
  readonly redrive: { readonly deadLetterArn: string; readonly maxReceiveCount: number } | undefined;
  /** Attributes that change nothing here (policy, encryption), given back as they came. */
  readonly kept: Readonly<Record<string, string>>;
}

/** Largest message, and largest batch of messages, in bytes (SQS API model of 2026). */
export const MAX_MESSAGE_BYTES = 1_048_576;

export const defaultSettings: QueueSettings = {
  visibilityTimeoutSeconds: 30,
  retentionSeconds: 345_600,
  delaySeconds: 0,
  receiveWaitSeconds: 0,
  maxMessageBytes: MAX_MESSAGE_BYTES,
  redrive: undefined,
  kept: {},
};

/** Attribute name → setting, lowest and highest value (SQS API). */
const numbers = {
  VisibilityTimeout: ['visibilityTimeoutSeconds', 0, 43_200],
  MessageRetentionPeriod: ['retentionSeconds', 60, 1_209_600],
  DelaySeconds: ['delaySeconds', 0, 900],
  ReceiveMessageWaitTimeSeconds: ['receiveWaitSeconds', 0, 20],
  MaximumMessageSize: ['maxMessageBytes', 1_024, MAX_MESSAGE_BYTES],
} as const satisfies Record<string, readonly [keyof QueueSettings, number, number]>;

const kept = ['Policy', 'KmsMasterKeyId', 'KmsDataKeyReusePeriodSeconds', 'SqsManagedSseEnabled', 'RedriveAllowPolicy'];

/** `settings` with `attributes` applied; an empty redrive policy removes it. Throws on an unknown or invalid one. */
export function applyAttributes(settings: QueueSettings, attributes: Readonly<Record<string, string>>): QueueSettings {
  let next = settings;
  for (const [name, value] of Object.entries(attributes)) {
    if (isNumeric(name)) next = { ...next, [numbers[name][0]]: boundedNumber(name, value) };
    else if (name === 'RedrivePolicy') next = { ...next, redrive: parseRedrive(value) };
    else if (kept.includes(name)) next = { ...next, kept: { ...next.kept, [name]: value } };
    else if (name === 'FifoQueue') {
      throw new ServiceError(
        'UnsupportedOperation',
        'FIFO queues are not supported by the local SQS. Use a standard queue.',
      );
    } else throw new ServiceError('InvalidAttributeName', `Unknown Attribute ${name}.`);
  }
  return next;
}

/** The settings as attribute strings. */
export function settingAttributes(settings: QueueSettings): Record<string, string> {
  const attributes: Record<string, string> = { SqsManagedSseEnabled: 'true', ...settings.kept };
  for (const [name, [setting]] of Object.entries(numbers)) attributes[name] = String(settings[setting]);
  if (settings.redrive) {
    const { deadLetterArn, maxReceiveCount } = settings.redrive;
    attributes['RedrivePolicy'] = JSON.stringify({ deadLetterTargetArn: deadLetterArn, maxReceiveCount });
  }
  return attributes;
}

function isNumeric(name: string): name is keyof typeof numbers {
  return Object.hasOwn(numbers, name);
}

function boundedNumber(name: keyof typeof numbers, value: string): number {
  const [, lowest, highest] = numbers[name];
  const number = Number(value);
  if (Number.isInteger(number) && number >= lowest && number <= highest) return number;
  throw new ServiceError(
    'InvalidAttributeValue',
    `Invalid value for the parameter ${name}. Give a whole number from ${lowest} to ${highest}.`,
  );
}

function parseRedrive(value: string): QueueSettings['redrive'] {
  if (value === '') return undefined;
  let policy: { deadLetterTargetArn?: unknown; maxReceiveCount?: unknown };
  try {
    policy = JSON.parse(value) as typeof policy;
  } catch {
    policy = {};
  }
  const maxReceiveCount = Number(policy?.maxReceiveCount);
  if (typeof policy?.deadLetterTargetArn === 'string' && Number.isInteger(maxReceiveCount)) {
    if (maxReceiveCount >= 1 && maxReceiveCount <= 1_000) {
      return { deadLetterArn: policy.deadLetterTargetArn, maxReceiveCount };
    }
  }
  throw new ServiceError(
    'InvalidAttributeValue',
    'RedrivePolicy must be JSON with deadLetterTargetArn and a maxReceiveCount from 1 to 1000.',
  );
}
