import { attemptFor, type Attempt } from '../api/request';
import { useCall } from '../api/useCall';
import { useDraft } from '../api/useDraft';
import { useI18n, type MessageKey } from '../i18n';
import { useDesk } from '../live/context';
import { FormBox } from '../ui/FormBox';
import { TextField } from '../ui/TextField';
import type { FormProps } from './ActionForm';
import { bodyName } from './bodies';

/** Records that a duty without a report was done. */
export function DutyForm({ incident, action, onDone, onCancel }: FormProps) {
  const i18n = useI18n();
  const { t, pick } = i18n;
  const { clients } = useDesk();
  const call = useCall();
  const draft = useDraft<{ remark: string; last: Attempt | null }>(`duty|${action.clock ?? ''}`, () => ({ remark: '', last: null }));
  const { remark, last } = draft.value;
  const clock = incident.clocks.find((c) => c.name === action.clock);
  if (!clock) return null;

  const send = async () => {
    const body = { clock: clock.name, remark };
    const attempt = attemptFor(last, body);
    draft.set({ remark, last: attempt });
    const answer = await call.run(() => clients.incidents.recordDutyDone({ ...body, requestId: attempt.id }));
    if (!answer) return;
    draft.reset({ remark: '', last: null });
    onDone(answer.incident);
  };

  return (
    <FormBox
      title={t('action.duty')}
      call={call}
      sendLabel={t('duty.send')}
      onSend={() => void send()}
      onCancel={onCancel}
      testId="duty"
      {...(remark.trim() === '' ? { blocked: t('duty.needsRemark') } : {})}
    >
      <p>
        <strong>{bodyName(clock, i18n)}</strong> {t(`duty.${clock.duty}` as MessageKey)}
      </p>
      <p className="faint">{pick(clock.citationZh, clock.citationEn)}</p>
      <TextField
        label={t('duty.remark')}
        path="remark"
        required
        rows={2}
        wide
        value={remark}
        onChange={(text) => draft.set({ remark: text, last })}
        testId="duty-remark"
      />
    </FormBox>
  );
}
