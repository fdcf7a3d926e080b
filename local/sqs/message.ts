import type { MessageAttributes } from './checksum.ts';

export interface QueuedMessage {
  readonly id: string;
  readonly body: string;
  readonly attributes: MessageAttributes;
  readonly senderId: string;
  readonly groupId: string | undefined;
  /** Milliseconds. Kept when the message moves to a dead-letter queue, so its retention goes on counting. */
  readonly sentAt: number;
  firstReceivedAt: number | undefined;
  /** Receives in every queue it has been in. */
  receiveCount: number;
  /** Receives in this queue: what `maxReceiveCount` counts. */
  receivedHere: number;
  /** The queue that gave it up; undefined outside a dead-letter queue. */
  deadLetterSource: string | undefined;
}

export interface Delivery {
  readonly message: Readonly<QueuedMessage>;
  readonly receiptHandle: string;
}
