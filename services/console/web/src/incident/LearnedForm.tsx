import { useState } from 'react';
import { attemptFor, type Attempt } from '../api/request';
import { useCall } from '../api/useCall';
import { ClockState } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import { useI18n } from '../i18n';
import { useDesk, useSpaceNow } from '../live/context';
import { stamp } from '../logic/time';
import { FormBox } from '../ui/FormBox';
import { noTime, TimeField, type TypedTime } from '../ui/TimeField';
import type { FormProps } from './ActionForm';
import { BodyPicker, bodiesOf } from './BodyPicker';

/** States when an obliged body learned of it, which starts its clocks. */
export function LearnedForm({ incident, action, onDone, onCancel }: FormProps) {
  const { t } = useI18n();
  const { clients, node } = useDesk();
  const now = useSpaceNow();
  const call = useCall();
  const waiting = incident.clocks.find((c) => c.state === ClockState.NOT_STARTED)?.bodyCode;
  const [body, setBody] = useState(action.code ?? waiting ?? incident.place?.adminCode ?? node.provinceCode);
  const [learned, setLearned] = useState<TypedTime>(noTime);
  const [last, setLast] = useState<Attempt | null>(null);

  const send = async () => {
    const learnTime = stamp(learned.ms);
    const request = { name: incident.name, bodyCode: body, ...(learnTime ? { learnTime } : {}) };
    const attempt = attemptFor(last, request);
    setLast(attempt);
    const answer = await call.run(() => clients.incidents.recordBodyLearned({ ...request, requestId: attempt.id }));
    if (answer) onDone(answer.incident);
  };

  return (
    <FormBox
      title={t('action.learned')}
      call={call}
      sendLabel={t('learned.send')}
      onSend={() => void send()}
      onCancel={onCancel}
      testId="learned"
      note={t('learned.note')}
      {...(learned.ms === null ? { blocked: t('form.needsTime') } : {})}
    >
      <div className="fields">
        <BodyPicker
          label={t('upward.body')}
          path="body_code"
          bodies={bodiesOf(incident, node.provinceCode)}
          value={body}
          onChange={setBody}
          testId="learned-body"
        />
        <TimeField
          label={t('time.learned')}
          path="learn_time"
          required
          value={learned}
          onChange={setLearned}
          nowMs={now}
          testId="learned-time"
        />
      </div>
    </FormBox>
  );
}
