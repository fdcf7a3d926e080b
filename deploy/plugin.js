// The plugin of serverless.yml: refuses sources that cannot be, bundles the functions before they are packaged, tidies
// the template after. It is JavaScript because that is all `plugins` loads, a default export because there it looks.
import { join } from 'node:path';
import { bundleAll } from './bundle.ts';
import { refuseTooLarge, withoutAbsent } from './resources/template.ts';
import { stackOf } from './stack.ts';
import { writeZip } from './zip.ts';

export default class FirnPlugin {
  /** @param {any} serverless Its API has no types. */
  constructor(serverless) {
    const stage = () => serverless.getProvider('aws').getStage();
    this.hooks = {
      'before:package:cleanup': () => refusing(serverless, () => stackOf(stage())),
      'before:package:createDeploymentArtifacts': () =>
        refusing(serverless, () => packageFunctions(serverless, stage())),
      'after:aws:package:finalize:mergeCustomProviderResources': () =>
        refusing(serverless, async () => tidyTemplate(serverless)),
    };
  }
}

/**
 * An error of Serverless's own kind is printed as its message, any other with its stack.
 *
 * @param {any} serverless
 * @param {() => Promise<unknown>} work
 */
async function refusing(serverless, work) {
  try {
    await work();
  } catch (error) {
    throw new serverless.classes.Error(error instanceof Error ? error.message : String(error), 'FIRN_PACKAGING');
  }
}

/**
 * @param {any} serverless
 * @param {string} stage
 */
async function packageFunctions(serverless, stage) {
  const { build } = await stackOf(stage);
  const bundles = await bundleAll(build);
  await Promise.all(
    Object.entries(bundles).map(async ([name, bundle]) => {
      // Relative to the service, so that a package can be deployed from another checkout.
      const artifact = join('.serverless', `${name}.zip`);
      await writeZip(bundle, join(serverless.serviceDir, artifact));
      serverless.service.getFunction(name).package = { artifact };
    }),
  );
}

/** @param {any} serverless */
function tidyTemplate(serverless) {
  const { provider } = serverless.service;
  provider.compiledCloudFormationTemplate = withoutAbsent(provider.compiledCloudFormationTemplate);
  refuseTooLarge(provider.compiledCloudFormationTemplate);
}
