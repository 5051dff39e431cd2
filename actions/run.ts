/** The one entry of the bundle: every stub calls it, and only the named action's code is loaded. */
export async function run(action: string, phase: 'main' | 'post'): Promise<void> {
  const definition = await load(action);
  await definition[phase]();
}

interface ActionModule {
  main(): Promise<void>;
  post(): Promise<void>;
}

async function load(action: string): Promise<ActionModule> {
  switch (action) {
    case 'approval-gate':
      return await import('./approval-gate/src/main.ts');
    case 'blue-green':
      return await import('./blue-green/src/main.ts');
    case 'build-image':
      return await import('./build-image/src/main.ts');
    case 'deploy-ecs':
      return await import('./deploy-ecs/src/main.ts');
    case 'deploy-k8s':
      return await import('./deploy-k8s/src/main.ts');
    case 'smoke-test':
      return await import('./smoke-test/src/main.ts');
    default:
      throw new TypeError(`no action is called ${action}`);
  }
}
