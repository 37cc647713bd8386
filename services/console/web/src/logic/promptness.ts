import { DutyKind, type Clock } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import type { MessageKey } from '../i18n';

/** How soon a duty is due for which the law gives no figure. */
export function promptness(clock: Clock): MessageKey {
  return clock.duty === DutyKind.OTHER ? 'clock.noFigure' : 'clock.promptly';
}
