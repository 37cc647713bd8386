import { attemptFor, type Attempt } from '../api/request';
import { useCall } from '../api/useCall';
import { useDraft } from '../api/useDraft';
import { session } from '../api/session';
import { Grade } from '../gen/proto/fenghuo/common/v1/common_pb';
import { GradeDecisionKind } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import { useI18n, type MessageKey } from '../i18n';
import { useDesk } from '../live/context';
import { Choice } from '../ui/Choice';
import { FormBox } from '../ui/FormBox';
import { gradeNumeral } from '../ui/Grade';
import { TextField } from '../ui/TextField';
import type { FormProps } from './ActionForm';

interface Edit {
  grade: number;
  kind: number;
  authority: string;
  reason: string;
  etag: string;
  attempt: Attempt | null;
}

const GRADES = [Grade.I, Grade.II, Grade.III, Grade.IV];

/** A person decides the grade. The rules' own answer stays beside it. */
export function GradeForm({ incident, onDone, onCancel }: FormProps) {
  const { t } = useI18n();
  const { clients } = useDesk();
  const call = useCall();
  const proposed = incident.assessment?.grade ?? Grade.UNSPECIFIED;
  const draft = useDraft<Edit>(`grade|${incident.name}`, () => ({
    grade: proposed || Grade.IV,
    kind: GradeDecisionKind.PRELIMINARY,
    authority: session.get()?.person.post ?? '',
    reason: '',
    etag: incident.etag,
    attempt: null,
  }));
  const v = draft.value;
  const set = (change: Partial<Edit>) => draft.set({ ...v, ...change });
  const differs = v.grade !== proposed;
  const blocked = differs && v.reason.trim() === '' ? t('decide.needsReason') : undefined;

  const send = async () => {
    const body = {
      name: incident.name,
      // What the officer sees now is what is decided on.
      etag: incident.etag,
      decision: { grade: v.grade, kind: v.kind, authority: v.authority, reason: v.reason },
    };
    const attempt = attemptFor(v.attempt, body);
    set({ attempt });
    const answer = await call.run(() => clients.incidents.decideGrade({ ...body, requestId: attempt.id }));
    if (!answer) return;
    draft.reset(v);
    onDone(answer.incident);
  };

  return (
    <FormBox
      title={t('action.grade')}
      call={call}
      sendLabel={t('decide.send')}
      onSend={() => void send()}
      onCancel={onCancel}
      testId="grade"
      note={t('decide.note')}
      {...(blocked ? { blocked } : {})}
    >
      <Choice
        label={t('decide.grade')}
        path="decision.grade"
        options={GRADES.map((g) => ({ value: g, label: `${gradeNumeral(g)} ${t(`grade.${g}` as MessageKey)}` }))}
        value={v.grade}
        onChange={(grade) => set({ grade })}
        testId="decide-grade"
      />
      <Choice
        label={t('decide.kind')}
        path="decision.kind"
        options={[GradeDecisionKind.PRELIMINARY, GradeDecisionKind.DETERMINED].map((k) => ({
          value: k,
          label: t(`decisionKind.${k}` as MessageKey),
        }))}
        value={v.kind}
        onChange={(kind) => set({ kind })}
        testId="decide-kind"
      />
      <TextField
        label={t('decide.authority')}
        path="decision.authority"
        value={v.authority}
        onChange={(authority) => set({ authority })}
        testId="decide-authority"
      />
      <TextField
        label={differs ? t('decide.reasonDiffers') : t('decide.reason')}
        path="decision.reason"
        required={differs}
        rows={2}
        value={v.reason}
        onChange={(reason) => set({ reason })}
        testId="decide-reason"
      />
    </FormBox>
  );
}
