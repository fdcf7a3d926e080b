import { invalidArgument, notImplemented } from './errors.ts';
import type { Rule } from './state.ts';
import { childrenOf, type Element, element, textOf, xmlDocument } from './xml.ts';

/** The events this S3 sends. Others can be subscribed to at AWS, and would stay silent here. */
const EVENTS = [
  's3:ObjectCreated:*',
  's3:ObjectCreated:Put',
  's3:ObjectCreated:Post',
  's3:ObjectCreated:Copy',
  's3:ObjectCreated:CompleteMultipartUpload',
  's3:ObjectRemoved:*',
  's3:ObjectRemoved:Delete',
  's3:ObjectRemoved:DeleteMarkerCreated',
  's3:ObjectRestore:Completed',
];

/** Whether the rule asks for this event (`ObjectCreated:Put`) of this key. The filter sees the key un-encoded. */
export function ruleMatches(rule: Rule, event: string, key: string): boolean {
  return (
    rule.events.some((each) => covers(each, `s3:${event}`)) && key.startsWith(rule.prefix) && key.endsWith(rule.suffix)
  );
}

function covers(pattern: string, event: string): boolean {
  return pattern.endsWith('*') ? event.startsWith(pattern.slice(0, -1)) : pattern === event;
}

/**
 * Throws as PutBucketNotificationConfiguration does: on unknown events, doubled ids, and two rules that share an event
 * type while their prefixes overlap and their suffixes overlap.
 */
export function checkRules(rules: readonly Rule[]): void {
  for (const [at, rule] of rules.entries()) {
    if (!/^arn:[^:]*:sqs:[^:]*:[^:]*:.+$/.test(rule.queueArn))
      throw invalidArgument(`The ARN "${rule.queueArn}" is not well formed: expected arn:aws:sqs:region:account:queue`);
    if (rule.events.length === 0) throw invalidArgument('A notification needs at least one event');
    for (const event of rule.events)
      if (!EVENTS.includes(event)) throw notImplemented(`The event ${event} (known: ${EVENTS.join(', ')})`);
    for (const other of rules.slice(at + 1)) {
      if (other.id === rule.id) throw invalidArgument(`The notification id ${rule.id} is used twice`);
      if (overlap(rule, other))
        throw invalidArgument(
          `Configurations overlap. Configurations on the same bucket cannot share a common event type: ${rule.id}, ${other.id}`,
        );
    }
  }
}

function overlap(a: Rule, b: Rule): boolean {
  return (
    a.events.some((one) => b.events.some((two) => covers(one, two) || covers(two, one))) &&
    (a.prefix.startsWith(b.prefix) || b.prefix.startsWith(a.prefix)) &&
    (a.suffix.endsWith(b.suffix) || b.suffix.endsWith(a.suffix))
  );
}

export interface Notifications {
  readonly rules: readonly Rule[];
  readonly eventBridge: boolean;
}

/** Reads a NotificationConfiguration document. `nextId` names the rules that bring no id. */
export function parseNotifications(root: Element, nextId: () => string): Notifications {
  for (const { name } of root.children)
    if (name !== 'QueueConfiguration' && name !== 'EventBridgeConfiguration')
      throw notImplemented(`A notification to other than queues and EventBridge (${name})`);
  const rules = childrenOf(root, 'QueueConfiguration').map((each) => ({
    id: textOf(each, 'Id') || nextId(),
    queueArn: textOf(each, 'Queue') ?? '',
    events: childrenOf(each, 'Event').map(({ text }) => text),
    ...parseFilter(each),
  }));
  checkRules(rules);
  return { rules, eventBridge: childrenOf(root, 'EventBridgeConfiguration').length > 0 };
}

function parseFilter(configuration: Element): { prefix: string; suffix: string } {
  const filter = { prefix: '', suffix: '' };
  const rules = childrenOf(configuration, 'Filter')
    .flatMap((each) => childrenOf(each, 'S3Key'))
    .flatMap((each) => childrenOf(each, 'FilterRule'));
  for (const rule of rules) {
    const name = textOf(rule, 'Name')?.toLowerCase();
    if (name !== 'prefix' && name !== 'suffix')
      throw invalidArgument('filter rule name must be either prefix or suffix');
    filter[name] = textOf(rule, 'Value') ?? '';
  }
  return filter;
}

/** The configuration as GetBucketNotificationConfiguration shows it. */
export function notificationsXml({ rules, eventBridge }: Notifications): string {
  return xmlDocument('NotificationConfiguration', [
    ...rules.map((rule) =>
      element('QueueConfiguration', [
        element('Id', rule.id),
        element('Queue', rule.queueArn),
        ...rule.events.map((event) => element('Event', event)),
        element('Filter', [element('S3Key', [filterRule('Prefix', rule.prefix), filterRule('Suffix', rule.suffix)])]),
      ]),
    ),
    ...(eventBridge ? [element('EventBridgeConfiguration', '')] : []),
  ]);
}

function filterRule(name: string, value: string): string {
  return value === '' ? '' : element('FilterRule', [element('Name', name), element('Value', value)]);
}
