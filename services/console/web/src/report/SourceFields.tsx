import { ReportOrigin } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import { useI18n, type MessageKey } from '../i18n';
import { DistrictPicker } from '../ui/DistrictPicker';
import { SelectField } from '../ui/SelectField';
import { TextField } from '../ui/TextField';
import { TimeField } from '../ui/TimeField';
import type { ReportDraft } from './draft';

const ORIGINS = [1, 2, 3, 4, 5, 6, 7, 8];

interface Props {
  value: ReportDraft;
  set: (change: Partial<ReportDraft>) => void;
  nowMs: number;
  home: string;
}

/** Who reports, when this desk learned of it, when it happened: each apart. */
export function SourceFields({ value: v, set, nowMs, home }: Props) {
  const { t } = useI18n();
  const bureau = v.origin === ReportOrigin.DISTRICT_BUREAU;
  return (
    <div className="fields">
      <SelectField
        label={t('report.origin')}
        path="report.origin"
        required
        autoFocus
        value={v.origin}
        options={ORIGINS.map((o) => ({ value: o, label: t(`origin.${o}` as MessageKey) }))}
        onChange={(origin) => set({ origin })}
        testId="origin"
      />
      <TextField
        label={t('report.reporterName')}
        path="report.reporter_name"
        value={v.reporterName}
        onChange={(reporterName) => set({ reporterName })}
        testId="reporter-name"
        placeholder={t('report.anonymous')}
      />
      <TextField
        label={t('report.reporterTelephone')}
        path="report.reporter_telephone"
        type="tel"
        value={v.reporterTelephone}
        onChange={(reporterTelephone) => set({ reporterTelephone })}
        testId="reporter-telephone"
      />
      <TextField
        label={t('report.reporterOrganisation')}
        path="report.reporter_organisation"
        value={v.reporterOrganisation}
        onChange={(reporterOrganisation) => set({ reporterOrganisation })}
        testId="reporter-organisation"
      />
      {bureau && (
        <>
          <DistrictPicker
            label={t('report.body')}
            path="report.reporting_body_code"
            code={v.reportingBody}
            onChange={(reportingBody) => set({ reportingBody })}
            home={home}
            testId="reporting-body"
          />
          <TimeField
            label={t('report.bodyLearned')}
            path="report.reporting_body_learn_time"
            value={v.bodyLearned}
            onChange={(bodyLearned) => set({ bodyLearned })}
            nowMs={nowMs}
            testId="body-learned"
            unknown
          />
        </>
      )}
      <TimeField
        label={t('time.learnedHere')}
        path="report.learn_time"
        required
        value={v.learned}
        onChange={(learned) => set({ learned })}
        nowMs={nowMs}
        testId="learned"
      />
      <TimeField
        label={t('time.occurred')}
        path="report.occur_time"
        value={v.occurred}
        onChange={(occurred) => set({ occurred })}
        nowMs={nowMs}
        testId="occurred"
        unknown
      />
    </div>
  );
}
