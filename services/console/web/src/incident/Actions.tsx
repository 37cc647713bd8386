import { IncidentState, type Incident } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import { useI18n, type MessageKey } from '../i18n';
import { useKeys } from '../keys/keys';
import { Button } from '../ui/Button';

export type ActionKind = 'facts' | 'grade' | 'upward' | 'learned' | 'duty' | 'draft' | 'close';

/** Something that is being done with the incident. */
export interface Action {
  kind: ActionKind;
  /** The clock that it is about. */
  clock?: string;
  /** Code of the body or partner that it is about. */
  code?: string;
}

const KEYS: readonly [ActionKind, string][] = [
  ['facts', 'f'],
  ['grade', 'r'],
  ['upward', 'u'],
  ['draft', 'd'],
  ['learned', 'l'],
  ['close', 'c'],
];

interface Props {
  incident: Incident;
  onAction: (action: Action) => void;
  /** A form is open: its keys come first. */
  quiet: boolean;
}

/** What can be done with an incident, each with its key. All of them open a form; none acts at once. */
export function Actions({ incident, onAction, quiet }: Props) {
  const { t } = useI18n();
  const open = incident.state !== IncidentState.CLOSED;
  useKeys(open ? KEYS.map(([kind, key]) => ({ key, label: `action.${kind}` as MessageKey, run: () => onAction({ kind }) })) : []);
  if (!open) return null;
  return (
    <div className={`actions ${quiet ? 'actions-quiet' : ''}`} role="toolbar" aria-label={t('action.title')}>
      {KEYS.map(([kind, key]) => (
        <Button
          key={kind}
          label={t(`action.${kind}` as MessageKey)}
          hint={key}
          testId={`action-${kind}`}
          onClick={() => onAction({ kind })}
        />
      ))}
    </div>
  );
}
