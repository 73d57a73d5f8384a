-- From the SIS's words to the standard's: what a OneRoster bundle asks for, as views.
--   roster     working views: who and what counts today. Every rule about codes and dates is here, once.
--   oneroster  one view for each file of the bundle; the tap reads these and nothing else.
create schema roster;
create schema oneroster;

-- The day the roster is of. To look at another one: alter database ... set roster.today = '2026-10-05'.
create function roster.today() returns date language sql stable as $$
    select coalesce(nullif(current_setting('roster.today', true), '')::date, current_date)
$$;

-- End dates are the last day here, and the first day after it in OneRoster. An end that was never meant to come is none.
create function roster.exclusive(last_day date) returns date language sql immutable as $$
    select case when last_day < '9999-12-31' then last_day + 1 end
$$;

-- Grades: K is KG in the standard's vocabulary (CEDS), and numbers have two digits. char(n) is padded: trim it.
create function roster.grade(code text) returns text language sql immutable as $$
    select case trim(code) when 'PK' then 'PK' when 'K' then 'KG' else lpad(trim(code), 2, '0') end
$$;

create function roster.grades(low text, high text) returns text[] language sql immutable as $$
    select all_grades[array_position(all_grades, roster.grade(low)):array_position(all_grades, roster.grade(high))]
    from (select array['PK', 'KG', '01', '02', '03', '04', '05', '06', '07', '08', '09', '10', '11', '12'] as all_grades) as g
$$;

-- Who is at which school today. Rows of last year, of those who left and of those who are still to come are not.
create view roster.student_at as
select student_no, school_no, grade, is_home, entry_date, exit_date
from sis.student_school
join sis.school_year using (year_id)
where is_current and entry_date <= roster.today() and (exit_date is null or exit_date >= roster.today());

-- Jobs of today. One without a school is at the district. Two jobs at one school are two roles there, one of them primary.
create view roster.staff_at as
select
    staff_no,
    coalesce('sch-' || school_no, (select 'dis-' || min(district_no) from sis.district)) as org,
    case job when 'T' then 'teacher' when 'P' then 'principal' when 'C' then 'counselor' when 'A' then 'aide'
        when 'D' then 'districtAdministrator' end as role,
    is_main, start_date, end_date
from sis.staff_job
where start_date <= roster.today() and (end_date is null or end_date >= roster.today());

-- Guardians are where their children are.
create view roster.guardian_at as
select
    guardian_no,
    'sch-' || school_no as org,
    case when relationship in ('M', 'F') then 'parent' when relationship = 'G' then 'guardian' else 'relative' end as role
from sis.student_guardian
join roster.student_at using (student_no)
group by guardian_no, org, role;

create view roster.section as
select section.*, school_no
from sis.section
join sis.course using (course_no)
join sis.school_year using (year_id)
where is_current;

create view roster.course_subject as
select
    course_no,
    -- Names and codes pair up by position. A comma would part a name in two: there is no escape for it.
    array_agg(replace(name, ',', '') order by subject_no) as subjects,
    array_agg(sced_code order by subject_no) as subject_codes
from sis.course_subject
join sis.subject using (subject_no)
group by course_no;

-- ---------------------------------------------------------------------------------------------------------------------
-- The bundle. Ids carry what they number: school 1 and district 1, student 17 and staff member 17 must not meet.
-- They are made of keys that stay, never of row_number() or of a date someone may correct.

create view oneroster.orgs as
select 'dis-' || district_no as sourced_id, name, 'district' as type, null as identifier, null as parent_sourced_id
from sis.district
union all
select 'sch-' || school_no, name, 'school', state_id, 'dis-' || district_no
from sis.school;

create view oneroster.academic_sessions as
select
    'year-' || year_id as sourced_id, label as title, 'schoolYear' as type, first_day as start_date,
    roster.exclusive(last_day) as end_date, null as parent_sourced_id, extract(year from last_day)::text as school_year
from sis.school_year
where is_current
union all
select
    'term-' || term_id, term.name, case kind when 'S' then 'semester' when 'Q' then 'gradingPeriod' end, term.first_day,
    roster.exclusive(term.last_day), coalesce('term-' || within, 'year-' || year_id),
    extract(year from school_year.last_day)::text
from sis.term
join sis.school_year using (year_id)
where is_current;

create view oneroster.courses as
select
    'crs-' || course_no as sourced_id, 'year-' || year_id as school_year_sourced_id, title, code as course_code,
    roster.grades(low_grade, high_grade) as grades, 'sch-' || school_no as org_sourced_id, subjects, subject_codes
from sis.course
left join roster.course_subject using (course_no)
cross join sis.school_year
where is_current and exists (select from roster.section where section.course_no = course.course_no);

-- Lists come out of subqueries: a join would give a row for each element, and of these only the last would count.
create view oneroster.classes as
select
    'sec-' || section_no as sourced_id, title || ' ' || letter as title, roster.grades(low_grade, high_grade) as grades,
    'crs-' || course_no as course_sourced_id, code || '-' || letter as class_code,
    case when is_homeroom then 'homeroom' else 'scheduled' end as class_type, room as location,
    'sch-' || section.school_no as school_sourced_id,
    array(
        select 'term-' || term_id from sis.section_term t where t.section_no = section.section_no order by term_id
    ) as term_sourced_ids,
    subjects, subject_codes,
    array(select period::text from sis.section_period p where p.section_no = section.section_no order by period) as periods
from roster.section
join sis.course using (course_no)
left join roster.course_subject using (course_no);

-- One row for each person, wherever they are: schools are in roles.
create view oneroster.users as
select
    'stu-' || student_no as sourced_id, true as enabled_user, coalesce(email, 'student' || student_no) as username,
    jsonb_build_array(jsonb_build_object('type', 'stateId', 'identifier', state_id)) as user_ids,
    first_name as given_name, last_name as family_name, middle_name, preferred_name as preferred_given_name,
    state_id as identifier, email, null as phone,
    array(
        select 'gua-' || guardian_no from sis.student_guardian g where g.student_no = student.student_no order by guardian_no
    ) as agent_sourced_ids,
    array(
        select roster.grade(grade) from roster.student_at s where s.student_no = student.student_no and is_home
    ) as grades,
    (
        select 'sch-' || min(school_no) from roster.student_at s where s.student_no = student.student_no and is_home
    ) as primary_org_sourced_id
from sis.student
where exists (select from roster.student_at s where s.student_no = student.student_no)
union all
select
    'stf-' || staff_no, can_login = 'Y', login, null, first_name, last_name, null, null, staff_no::text, email, null, null, null,
    (select min(org) from roster.staff_at s where s.staff_no = staff.staff_no and is_main)
from sis.staff
where exists (select from roster.staff_at s where s.staff_no = staff.staff_no)
union all
select
    'gua-' || guardian_no, true, coalesce(email, 'guardian' || guardian_no), null, first_name, last_name, null, null, null, email,
    phone, null, null, null
from sis.guardian
where exists (select from roster.guardian_at g where g.guardian_no = guardian.guardian_no);

-- One row for each person, school and role; the first of a person's roles at a school is the primary one there.
create view oneroster.roles as
select
    'stu-' || student_no || '-sch-' || school_no as sourced_id, 'stu-' || student_no as user_sourced_id,
    'primary' as role_type, 'student' as role, 'sch-' || school_no as org_sourced_id, entry_date as begin_date,
    roster.exclusive(exit_date) as end_date
from roster.student_at
union all
select
    'stf-' || staff_no || '-' || org || '-' || role, 'stf-' || staff_no,
    case when 1 = row_number() over (partition by staff_no, org order by is_main desc, role) then 'primary' else 'secondary' end,
    role, org, start_date, roster.exclusive(end_date)
from roster.staff_at
union all
select
    'gua-' || guardian_no || '-' || org || '-' || role, 'gua-' || guardian_no,
    case when 1 = row_number() over (
        partition by guardian_no, org order by array_position(array['parent', 'guardian', 'relative'], role)
    ) then 'primary' else 'secondary' end,
    role, org, null, null
from roster.guardian_at;

-- Who is in a section today: no drops, no plans, and nobody who left the school, whatever the section's own rows say.
create view oneroster.enrollments as
select
    'sec-' || section_no || '-stu-' || student_no || '-' || entry as sourced_id, 'sec-' || section_no as class_sourced_id,
    'sch-' || school_no as school_sourced_id, 'stu-' || student_no as user_sourced_id, 'student' as role, null::boolean as primary,
    start_date as begin_date, roster.exclusive(end_date) as end_date
from sis.section_student
join roster.section using (section_no)
join roster.student_at using (student_no, school_no)
where status = 'A' and (end_date is null or end_date >= roster.today())
union all
(
    select distinct on (section_no, staff_no)
        'sec-' || section_no || '-stf-' || staff_no, 'sec-' || section_no, 'sch-' || school_no, 'stf-' || staff_no, 'teacher',
        part = 'P', section_staff.start_date, roster.exclusive(section_staff.end_date)
    from sis.section_staff
    join roster.section using (section_no)
    join roster.staff_at using (staff_no)
    where staff_at.org = 'sch-' || school_no and staff_at.role = 'teacher'
        and (section_staff.end_date is null or section_staff.end_date >= roster.today())
    order by section_no, staff_no, section_staff.start_date desc
);

-- Not selected in meltano.yml: only a receiver that needs it should get it.
create view oneroster.demographics as
select
    'stu-' || student_no as sourced_id, birth_date,
    case gender when 'F' then 'female' when 'M' then 'male' when 'X' then 'unspecified' end as sex,
    coalesce(bool_or(race = 'I'), false) as american_indian_or_alaska_native, coalesce(bool_or(race = 'A'), false) as asian,
    coalesce(bool_or(race = 'B'), false) as black_or_african_american,
    coalesce(bool_or(race = 'P'), false) as native_hawaiian_or_other_pacific_islander,
    coalesce(bool_or(race = 'W'), false) as white, count(race) > 1 as demographic_race_two_or_more_races,
    hispanic as hispanic_or_latino_ethnicity
from sis.student
left join sis.student_race using (student_no)
where student_no in (select student_no from roster.student_at)
group by student_no;

-- The proof. The database counts what it holds, and the target publishes only when exactly that has arrived: not when the
-- tap broke off, and not when somebody was enrolled between the reading of two views. Rows that share an id count as
-- rejected: of these only the last would be in the bundle.
create view oneroster.sync_receipts as
select
    collection, 'bulk' as mode, count(distinct sourced_id) as "distinct", count(*) - count(distinct sourced_id) as rejected,
    true as complete
from (
    select 'orgs' as collection, sourced_id from oneroster.orgs
    union all select 'academic_sessions', sourced_id from oneroster.academic_sessions
    union all select 'courses', sourced_id from oneroster.courses
    union all select 'classes', sourced_id from oneroster.classes
    union all select 'users', sourced_id from oneroster.users
    union all select 'roles', sourced_id from oneroster.roles
    union all select 'enrollments', sourced_id from oneroster.enrollments
) as everything
group by collection;
