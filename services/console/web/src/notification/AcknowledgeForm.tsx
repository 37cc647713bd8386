import { useRef, useState } from 'react';
import { attemptFor, type Attempt } from '../api/request';
import { session } from '../api/session';
import { useCall } from '../api/useCall';
import { useDraft } from '../api/useDraft';
import { go } from '../app/route';
import type { NotificationRecord } from '../gen/proto/fenghuo/notification/v1/notification_pb';
import { useI18n } from '../i18n';
import { useKeys } from '../keys/keys';
import { useDesk } from '../live/context';
import { divisionName } from '../logic/districts';
import { Button } from '../ui/Button';
import { ConfirmBar } from '../ui/ConfirmBar';
import { FormProblem, ProblemBox } from '../ui/Problem';
import { TextField } from '../ui/TextField';

/** Acknowledges an incoming notification as the person signed in. */
export function AcknowledgeForm({ record }: { record: NotificationRecord }) {
  const { t, lang } = useI18n();
  const { clients, live } = useDesk();
  const call = useCall();
  const box = useRef<HTMLDivElement>(null);
  const [asking, setAsking] = useState(false);
  const draft = useDraft<{ remark: string; attempt: Attempt | null }>(`ack|${record.name}`, () => ({ remark: '', attempt: null }));
  const v = draft.value;
  const person = session.get()?.person;

  const send = async () => {
    const body = { name: record.name, remark: v.remark };
    const attempt = attemptFor(v.attempt, body);
    draft.set({ ...v, attempt });
    const answer = await call.run(() => clients.notifications.acknowledgeNotification({ ...body, requestId: attempt.id }));
    setAsking(false);
    if (!answer?.notification) return;
    draft.reset({ remark: '', attempt: null });
    live.notifications.put(answer.notification);
  };
  useKeys(
    [
      { key: 'a', label: 'key.acknowledge', run: () => setAsking(true) },
      { key: 'Ctrl+Enter', label: 'key.acknowledge', run: () => setAsking(true), whileTyping: true },
    ],
    { within: box },
  );

  return (
    <div ref={box} className="form-box" data-testid="form-acknowledge">
      <FormProblem value={call.problem}>
        <TextField
          label={t('ack.remark')}
          path="remark"
          rows={2}
          wide
          value={v.remark}
          onChange={(remark) => draft.set({ ...v, remark })}
          testId="ack-remark"
        />
        <ProblemBox problem={call.problem} />
      </FormProblem>
      {asking ? (
        <ConfirmBar
          sentence={t('ack.sentence', {
            person: person?.displayName ?? '',
            post: person?.post ?? '',
            partner: divisionName(record.partnerCode, lang),
          })}
          confirmLabel={t('ack.send')}
          busy={call.busy}
          onConfirm={() => void send()}
          onCancel={() => setAsking(false)}
          testId="acknowledge"
        />
      ) : (
        <div className="row">
          <Button label={t('ack.ask')} hint="a" tone="main" testId="acknowledge" onClick={() => setAsking(true)} />
          {!record.incident && (
            <Button
              label={t('ack.takeReport')}
              testId="report-from-notification"
              onClick={() => go({ centre: 'report', notification: record.name })}
            />
          )}
        </div>
      )}
    </div>
  );
}
