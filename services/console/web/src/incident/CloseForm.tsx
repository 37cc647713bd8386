import { useState } from 'react';
import { attemptFor, type Attempt } from '../api/request';
import { useCall } from '../api/useCall';
import { useI18n } from '../i18n';
import { useDesk } from '../live/context';
import { fullName } from '../logic/districts';
import { ConfirmBar } from '../ui/ConfirmBar';
import { ProblemBox } from '../ui/Problem';
import type { FormProps } from './ActionForm';

/** Closes an incident, after a sentence that says what that means. */
export function CloseForm({ incident, onDone, onCancel }: FormProps) {
  const { t, lang } = useI18n();
  const { clients } = useDesk();
  const call = useCall();
  const [last, setLast] = useState<Attempt | null>(null);
  const send = async () => {
    const body = { name: incident.name, etag: incident.etag };
    const attempt = attemptFor(last, body);
    setLast(attempt);
    const answer = await call.run(() => clients.incidents.closeIncident({ ...body, requestId: attempt.id }));
    if (answer) onDone(answer.incident);
  };
  return (
    <div data-testid="form-close">
      <ConfirmBar
        sentence={t('close.sentence', { place: fullName(incident.place?.adminCode ?? '', lang), title: incident.title })}
        confirmLabel={t('close.send')}
        busy={call.busy}
        onConfirm={() => void send()}
        onCancel={onCancel}
        testId="close"
      />
      <ProblemBox problem={call.problem} />
    </div>
  );
}
