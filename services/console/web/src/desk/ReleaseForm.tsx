import { useState } from 'react';
import { attemptFor, type Attempt } from '../api/request';
import { useCall } from '../api/useCall';
import type { Quarantine } from '../gen/proto/fenghuo/operation/v1/operation_pb';
import { useI18n } from '../i18n';
import { useDesk } from '../live/context';
import { divisionName } from '../logic/districts';
import { ConfirmBar } from '../ui/ConfirmBar';
import { FormBox } from '../ui/FormBox';
import { TextField } from '../ui/TextField';

/** Ends the quarantine of a restored node without its partners: a reason, and a sentence that says what will happen. */
export function ReleaseForm({ quarantine, onClose }: { quarantine: Quarantine; onClose: () => void }) {
  const { t, lang } = useI18n();
  const { clients } = useDesk();
  const call = useCall();
  const [reason, setReason] = useState('');
  const [asking, setAsking] = useState(false);
  const [last, setLast] = useState<Attempt | null>(null);
  const partners = quarantine.waitingPartnerCodes.map((code) => divisionName(code, lang)).join(lang === 'zh' ? '、' : ', ');
  const send = async () => {
    const body = { reason: reason.trim() };
    const attempt = attemptFor(last, body);
    setLast(attempt);
    const answer = await call.run(() => clients.operation.releaseQuarantine({ ...body, requestId: attempt.id }));
    setAsking(false);
    if (answer) onClose();
  };
  return (
    <>
      <FormBox
        title={t('quarantine.release')}
        call={call}
        sendLabel={t('quarantine.release')}
        onSend={() => setAsking(true)}
        onCancel={onClose}
        note={t('quarantine.note')}
        testId="release"
        {...(reason.trim() === '' ? { blocked: t('quarantine.reasonNeeded') } : {})}
      >
        <TextField
          label={t('quarantine.reason')}
          path="reason"
          required
          rows={2}
          wide
          value={reason}
          onChange={setReason}
          testId="release-reason"
        />
      </FormBox>
      {asking && (
        <ConfirmBar
          sentence={t('quarantine.sentence', { partners })}
          confirmLabel={t('quarantine.release')}
          busy={call.busy}
          onConfirm={() => void send()}
          onCancel={() => setAsking(false)}
          testId="release"
        />
      )}
    </>
  );
}
