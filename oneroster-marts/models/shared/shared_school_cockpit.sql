{{ config(alias='school_cockpit') }}
-- depends_on: {{ ref('input_attendance') }}
{{ suppress("(select its.*, " ~ ('true' if is_given('attendance') else 'false') ~ " as attendance_given from " ~ ref('cockpit_shown') ~ " as its)",
            ['school_id', 'grade', 'week'],
            ['enrolled', 'attendance_rate', 'mean_percent', 'missing_rate', 'on_worklist', 'attendance_given'],
            counts=['shown_size'], rates={'attendance_rate': 'enrolled', 'missing_rate': 'enrolled'}) }}
