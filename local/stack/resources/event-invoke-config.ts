import { generatedName } from '../names.ts';
import { record, refuse, refuseUnknown, requiredText, whole } from '../properties.ts';
import type { Create } from '../world.ts';

const KNOWN = {
  used: ['FunctionName', 'Qualifier', 'MaximumRetryAttempts', 'DestinationConfig'],
  ignored: ['MaximumEventAgeInSeconds'],
};

/** AWS::Lambda::EventInvokeConfig: how often an asynchronous event of a function is retried. */
export const createEventInvokeConfig: Create = (declaration, world) => {
  refuseUnknown(declaration, KNOWN);
  const destinations = Object.keys(record(declaration.properties, 'DestinationConfig'));
  if (destinations.length > 0)
    refuse(`destinations (${destinations.join(', ')}) are not supported: use DeadLetterConfig`);
  const attempts = whole(declaration.properties, 'MaximumRetryAttempts');
  if (attempts !== undefined) world.asyncRetries.set(requiredText(declaration, 'FunctionName'), attempts);
  return { ref: generatedName(world.stackName, declaration.logicalId), attributes: {} };
};
