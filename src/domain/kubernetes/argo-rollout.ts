import { type KubeObject, fieldAt, listAt, numberAt, textAt } from './object.ts';
import { READY, type Readiness, bad, conditionOf, said, waiting } from './readiness-state.ts';

/**
 * A Rollout of Argo, by the phase that its controller writes for this generation (`GetRolloutPhase` of argo-rollouts, 1.0 and
 * later). Its condition `Available` is of the old pods as well, and says nothing of the new ones.
 */
export function rollout(object: KubeObject, unobserved: string | undefined): Readiness {
  if (fieldAt(object, 'spec', 'paused') === true) return bad('it is paused, so nothing is rolled out');
  if (unobserved !== undefined) return waiting(unobserved);
  const phase = textAt(object, 'status', 'phase');
  const message = textAt(object, 'status', 'message') ?? '';
  switch (phase) {
    case 'Healthy':
      return READY;
    case 'Degraded':
      return bad(`it is degraded${troubleOf(object, message)}`);
    case 'Paused':
      return paused(object);
    default:
      return waiting(message === '' ? 'its controller to roll it out' : `its rollout (${message})`);
  }
}

function troubleOf(object: KubeObject, message: string): string {
  const invalid = conditionOf(object, 'InvalidSpec');
  const progress = conditionOf(object, 'Progressing');
  const told = invalid ?? (progress?.status === 'False' ? progress : undefined);
  const text = message === '' && told !== undefined ? said(told) : message;
  return text === '' ? '' : ` (${text})`;
}

/** A pause that ends by itself is waited for; one that somebody ends is where the release leads. */
function paused(object: KubeObject): Readiness {
  const [condition] = listAt(object, 'status', 'pauseConditions');
  const reason = textAt(condition, 'reason') ?? '';
  // Somebody ended the pause, and the controller has not looked yet.
  if (condition === undefined) return waiting('its pause to end');
  if (reason === 'InconclusiveAnalysisRun') return bad('its analysis is inconclusive, and it waits for somebody');
  const ends = reason === 'BlueGreenPause' ? endOfPreview(object) : endOfStep(object);
  if (ends !== undefined) return waiting(`the end of its pause of ${ends} (${reason})`);
  return { kind: 'ready', note: `it is paused until somebody promotes it (${reason})`, unproven: 'yes' };
}

function endOfPreview(object: KubeObject): string | undefined {
  const after = numberAt(object, 'spec', 'strategy', 'blueGreen', 'autoPromotionSeconds') ?? 0;
  return after > 0 ? `${after}s` : undefined;
}

/** Seconds, or with a unit: `10m`. */
function endOfStep(object: KubeObject): string | undefined {
  const index = numberAt(object, 'status', 'currentStepIndex') ?? 0;
  const duration = fieldAt(object, 'spec', 'strategy', 'canary', 'steps', index, 'pause', 'duration');
  if (duration === undefined || duration === null) return undefined;
  return /^\d+$/.test(String(duration)) ? `${String(duration)}s` : String(duration);
}
