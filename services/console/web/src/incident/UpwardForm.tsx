import { attemptFor, type Attempt } from '../api/request';
import { useCall } from '../api/useCall';
import { useDraft } from '../api/useDraft';
import { UpwardReportKind } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import { useI18n, type MessageKey } from '../i18n';
import { useDesk, useSpaceNow } from '../live/context';
import { stamp } from '../logic/time';
import { Choice } from '../ui/Choice';
import { FormBox } from '../ui/FormBox';
import { TextField } from '../ui/TextField';
import { TimeField, timeAt, unreadable, type TypedTime } from '../ui/TimeField';
import type { FormProps } from './ActionForm';
import { BodyPicker, bodiesOf } from './BodyPicker';

interface Edit {
  kind: number;
  body: string;
  sent: TypedTime;
  receiver: string;
  number: string;
  telephone: number;
  text: string;
  attempt: Attempt | null;
}

/** Records a report that a body of this province sent upward. */
export function UpwardForm({ incident, action, onDone, onCancel }: FormProps) {
  const { t } = useI18n();
  const { clients, node } = useDesk();
  const now = useSpaceNow();
  const call = useCall();
  const bodies = bodiesOf(incident, node.provinceCode);
  const draft = useDraft<Edit>(`upward|${incident.name}|${action.code ?? ''}`, () => ({
    kind: incident.upwardReports.length === 0 ? UpwardReportKind.INITIAL : UpwardReportKind.FOLLOW_UP,
    body: action.code ?? bodies.find((b) => b.code === node.provinceCode)?.code ?? bodies[0]?.code ?? '',
    sent: timeAt(now),
    receiver: '',
    number: '',
    telephone: 0,
    text: '',
    attempt: null,
  }));
  const v = draft.value;
  const set = (change: Partial<Edit>) => draft.set({ ...v, ...change });
  const blocked =
    unreadable(v.sent) || v.sent.ms === null ? t('form.needsTime') : v.receiver.trim() === '' ? t('upward.needsReceiver') : undefined;

  const send = async () => {
    const sendTime = stamp(v.sent.ms);
    const body = {
      name: incident.name,
      upwardReport: {
        kind: v.kind,
        bodyCode: v.body,
        receiver: v.receiver,
        receiptNumber: v.number,
        byTelephone: v.telephone === 1,
        text: v.text,
        ...(sendTime ? { sendTime } : {}),
      },
    };
    const attempt = attemptFor(v.attempt, body);
    set({ attempt });
    const answer = await call.run(() => clients.incidents.recordUpwardReport({ ...body, requestId: attempt.id }));
    if (!answer) return;
    draft.reset(v);
    onDone(answer.incident);
  };

  return (
    <FormBox
      title={t('action.upward')}
      call={call}
      sendLabel={t('upward.send')}
      onSend={() => void send()}
      onCancel={onCancel}
      testId="upward"
      note={t('upward.note')}
      {...(blocked ? { blocked } : {})}
    >
      <Choice
        label={t('upward.kind')}
        path="upward_report.kind"
        options={[1, 2, 3].map((k) => ({ value: k, label: t(`upwardKind.${k}` as MessageKey) }))}
        value={v.kind}
        onChange={(kind) => set({ kind })}
        testId="upward-kind"
      />
      <div className="fields">
        <BodyPicker
          label={t('upward.body')}
          path="upward_report.body_code"
          bodies={bodies}
          value={v.body}
          onChange={(body) => set({ body })}
          testId="upward-body"
        />
        <TimeField
          label={t('upward.sent')}
          path="upward_report.send_time"
          required
          value={v.sent}
          onChange={(sent) => set({ sent })}
          nowMs={now}
          testId="upward-sent"
        />
        <TextField
          label={t('upward.receiver')}
          path="upward_report.receiver"
          required
          value={v.receiver}
          onChange={(receiver) => set({ receiver })}
          testId="upward-receiver"
        />
        <TextField
          label={t('upward.number')}
          path="upward_report.receipt_number"
          value={v.number}
          onChange={(number) => set({ number })}
          testId="upward-number"
        />
      </div>
      <Choice
        label={t('upward.how')}
        options={[0, 1].map((n) => ({ value: n, label: n === 1 ? t('upward.telephone') : t('upward.written') }))}
        value={v.telephone}
        onChange={(telephone) => set({ telephone })}
        testId="upward-how"
        {...(v.telephone === 1 ? { hint: t('upward.telephoneOwes') } : {})}
      />
      <TextField
        label={t('upward.text')}
        path="upward_report.text"
        rows={4}
        wide
        value={v.text}
        onChange={(text) => set({ text })}
        testId="upward-text"
      />
    </FormBox>
  );
}
