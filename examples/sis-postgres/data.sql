-- A made-up district, the same each time: no name, number or address in it is anyone's. Its day is 5 October 2026.
insert into sis.district values (1, 'Harbor Valley Schools');

insert into sis.school values
    (1, 1, 'Harbor Elementary', '0600001', 'PK', '5'),
    (2, 1, 'Harbor Middle, North Campus', '0600002', '6', '8'),
    (3, 1, 'Harbor High', '0600003', '9', '12');

insert into sis.school_year values
    (1, '2025-26', '2025-08-18', '2026-06-12', false),
    (2, '2026-27', '2026-08-17', '2027-06-11', true);

insert into sis.term values
    (1, 1, null, 'S', 'Fall 2025', '2025-08-18', '2025-12-19'),
    (2, 1, null, 'S', 'Spring 2026', '2026-01-05', '2026-06-12'),
    (3, 2, null, 'S', 'Fall 2026', '2026-08-17', '2026-12-18'),
    (4, 2, null, 'S', 'Spring 2027', '2027-01-04', '2027-06-11'),
    (5, 2, 3, 'Q', 'Quarter 1', '2026-08-17', '2026-10-16'),
    (6, 2, 3, 'Q', 'Quarter 2', '2026-10-19', '2026-12-18'),
    (7, 2, 4, 'Q', 'Quarter 3', '2027-01-04', '2027-03-12'),
    (8, 2, 4, 'Q', 'Quarter 4', '2027-03-15', '2027-06-11');

-- Students 1 to 240, two to a family: 1 to 100 in the elementary school, to 160 in the middle school, the rest in high school.
insert into sis.student
select
    n,
    lpad((n * 7)::text, 8, '0'),
    (array['Ashdown', 'Birkvale', 'Cole-Marten', 'Dúnmore', 'Eastlake', 'Fenwright', 'Gráinsby', 'O''Harrow', 'Ivorsen', 'Juniper',
           'Kestrel', 'Larkfield', 'Møllgard', 'Northey', 'Ostrander'])[1 + n % 120 % 15],
    (array['Ada', 'Bo', 'Cleo', 'Davi', 'Élise', 'Finn', 'Gia', 'Hugo', 'Ines', 'Jonah', 'Kaya', 'Leo', 'Mira'])[1 + n % 13],
    case when n % 4 = 0 then (array['Jo', 'Lee', 'Ray'])[1 + n % 3] end,
    case when n % 9 = 0 then 'Sunny' end,
    (array['F', 'M', 'F', 'M', 'X', null])[1 + n % 6],
    date '2008-09-01' + ((240 - n) * 19),
    case when n % 11 > 0 then n % 5 = 0 end,
    case when n > 100 then 'student' || n || '@harbor.example' end
from generate_series(1, 240) as n;

insert into sis.student_race
select student_no, race
from sis.student, unnest(array['A', 'B', 'I', 'P', 'W']) with ordinality as r (race, at)
where student_no % 6 = at or student_no % 17 = at;

-- This year at the home school; last year's rows stay in the table, too.
insert into sis.student_school
select
    student_no,
    school_no,
    2,
    grades[1 + student_no % cardinality(grades)],
    true,
    case when student_no % 37 = 5 then date '2027-01-11' else date '2026-08-17' end,
    case when student_no % 40 = 7 then date '2026-09-18' end,
    case when student_no % 40 = 7 then 'MOV' end
from (
    select student_no, case when student_no <= 100 then 1 when student_no <= 160 then 2 else 3 end as school_no from sis.student
) as s
join (values
    (1, array['PK', 'K', '1', '2', '3', '4', '5']), (2, array['6', '7', '8']), (3, array['9', '10', '11', '12'])
) as g (number, grades) on number = school_no;

insert into sis.student_school
select student_no, school_no, 1, 'PK', true, '2025-08-18', '2026-06-12', 'EOY' from sis.student_school where grade = 'K';

-- Some of the middle school take algebra at the high school.
insert into sis.student_school
select student_no, 3, 2, grade, false, '2026-08-17', null, null
from sis.student_school where school_no = 2 and year_id = 2 and student_no % 10 = 4 and exit_date is null;

-- Staff 1 to 32, whose numbers are also students' and guardians'.
insert into sis.staff
select
    n,
    (array['Alderman', 'Brightwater', 'Castellan', 'Drummond', 'Ellery', 'Farrow', 'Góral', 'Hollis'])[1 + n % 8],
    (array['Uma', 'Viktor', 'Wren', 'Xavi', 'Yara'])[1 + n % 5],
    'staff' || n,
    case when n % 7 > 0 then 'staff' || n || '@harbor.example' end,
    case when n = 9 then 'N' else 'Y' end
from generate_series(1, 32) as n;

insert into sis.staff_job
select n, case when n <= 12 then 1 when n <= 20 then 2 when n <= 30 then 3 end,
       case when n in (1, 13, 21) then 'P' when n > 30 then 'D' when n in (2, 14, 22) then 'A' else 'T' end,
       true, '2024-08-01', null
from generate_series(1, 31) as n;
insert into sis.staff_job values
    (15, 3, 'T', false, '2026-08-01', null),         -- teaches at two schools
    (4, 1, 'C', false, '2026-08-01', null),          -- teacher and counselor at one school
    (23, 3, 'C', false, '2025-08-01', '2026-05-29'), -- was one
    (32, 2, 'T', true, '2026-08-01', '2026-09-25');  -- left in September

insert into sis.guardian
select
    n,
    last_name,
    (array['Petra', 'Quinn', 'Rosa', 'Sam', 'Tove'])[1 + n % 5],
    case when n % 4 > 0 then 'family' || n || '@mail.example' end,
    '+1 555 01' || lpad((n % 100)::text, 2, '0')
from generate_series(1, 240) as n join sis.student on student_no = n;

-- Guardians 1 to 120 have the children n and n + 120, who are often at two schools; guardians 121 to 240 are second ones.
insert into sis.student_guardian
select student_no, 1 + (student_no - 1) % 120, case when student_no % 15 = 0 then 'G' else 'M' end from sis.student
union all
select student_no, 121 + (student_no - 1) % 120, case when student_no % 21 = 0 then 'R' else 'F' end from sis.student
where (student_no - 1) % 120 % 3 > 0;

insert into sis.subject values
    (1, 'Mathematics', '02'), (2, 'English Language', '01'), (3, 'Life and Physical Sciences', '03'),
    (4, 'Social Sciences, History', '04'), (5, 'Visual Arts', '05');

insert into sis.course values
    (1, 1, 'HR-PK', 'Homeroom PK', 'PK', 'PK'), (2, 1, 'HR-K', 'Homeroom K', 'K', 'K'), (3, 1, 'HR-1', 'Homeroom 1', '1', '1'),
    (4, 1, 'HR-2', 'Homeroom 2', '2', '2'), (5, 1, 'HR-3', 'Homeroom 3', '3', '3'), (6, 1, 'HR-4', 'Homeroom 4', '4', '4'),
    (7, 1, 'HR-5', 'Homeroom 5', '5', '5'), (8, 1, 'ART', 'Art', 'PK', '5'),
    (11, 2, 'MATH', 'Mathematics', '6', '8'), (12, 2, 'ELA', 'Reading, Writing and Debate', '6', '8'),
    (13, 2, 'SCI', 'Science', '6', '8'), (14, 2, 'HIS', 'History', '6', '8'), (15, 2, 'STEAM', 'Arts and Engineering', '6', '8'),
    (21, 3, 'ALG', 'Algebra, accelerated', '8', '12'), (22, 3, 'ELA', 'English', '9', '12'), (23, 3, 'CHEM', 'Chemistry', '9', '12'),
    (24, 3, 'GOV', 'Government', '9', '12'), (25, 3, 'STUDIO', 'Studio Art', '9', '12');

insert into sis.course_subject
select course_no, case course_no % 10 when 1 then 1 when 2 then 2 when 3 then 3 when 4 then 4 else 5 end from sis.course
where course_no > 10
union all values (8, 5), (15, 3);

-- One section of each elementary course, two of each other course.
insert into sis.section
select row_number() over (order by course_no, letter), course_no, 2, letter, 'R' || course_no || letter, code like 'HR-%'
from sis.course, unnest(array['A', 'B']) as letter
where school_no > 1 or letter = 'A';
insert into sis.section values (90, 11, 1, 'A', 'R11A', false); -- of last year

-- History and government are held in fall, studio art in spring, all others all year.
insert into sis.section_term
select section_no, term_id from sis.section join sis.course using (course_no) join sis.term using (year_id)
where kind = 'S' and (code not in ('HIS', 'GOV', 'STUDIO') or (term_id = 4) = (code = 'STUDIO'));

insert into sis.section_period
select section_no, 1 + (section_no + extra) % 7 from sis.section, generate_series(0, 1) as extra
where not is_homeroom and (extra = 0 or section_no % 2 = 0);

insert into sis.section_staff
select section_no, case school_no when 1 then 3 + section_no % 10 when 2 then 15 + section_no % 6 else 23 + section_no % 8 end,
       'P', date '2026-08-17', null::date
from sis.section join sis.course using (course_no) where year_id = 2
union all
select section_no, case school_no when 1 then 3 + (section_no + 1) % 10 when 2 then 15 + (section_no + 1) % 6 else 15 end,
       'C', date '2026-08-17', null
from sis.section join sis.course using (course_no) where year_id = 2 and section_no % 3 = 0
union all
select section_no, 32, 'P', date '2026-08-10', date '2026-08-16'
from sis.section join sis.course using (course_no) where year_id = 2 and course_no = 13;

-- Everyone is in the sections of their grade or half; some dropped one, some of these came back, some are planned.
-- Rows of students who left the school stay `A`: nobody closes them.
insert into sis.section_student
select section_no, student_no, 1,
       case when (student_no + section_no) % 29 = 0 then 'D' when (student_no + section_no) % 31 = 0 then 'P' else 'A' end,
       greatest(first_day, date '2026-08-17'), case when (student_no + section_no) % 29 = 0 then date '2026-09-11' end
from sis.student_school
join sis.course using (school_no)
join sis.section using (course_no)
join (select section_no, min(first_day) as first_day from sis.section_term join sis.term using (term_id) group by 1) as began
    using (section_no)
where student_school.year_id = 2 and section.year_id = 2
    and case
        when is_homeroom then code = 'HR-' || grade
        when not is_home then code = 'ALG' and letter = 'A'
        else school_no = 1 or (student_no % 2 = 0) = (letter = 'A')
    end;
insert into sis.section_student
select section_no, student_no, 2, 'A', '2026-09-21', null from sis.section_student where status = 'D' and student_no % 2 = 0;

do $$ begin
    execute format('alter database %I set roster.today = %L', current_database(), '2026-10-05'); -- views.sql says what for
end $$;
