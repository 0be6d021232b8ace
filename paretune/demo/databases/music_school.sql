CREATE TABLE teachers (teacher_id INTEGER PRIMARY KEY, name TEXT, instrument TEXT, fee INTEGER, experience INTEGER);
CREATE TABLE pupils (pupil_id INTEGER PRIMARY KEY, name TEXT, age INTEGER, town TEXT, teacher_id INTEGER,
FOREIGN KEY (teacher_id) REFERENCES teachers(teacher_id));
CREATE TABLE exams (exam_id INTEGER PRIMARY KEY, pupil_id INTEGER, grade TEXT, piece TEXT, marks INTEGER,
FOREIGN KEY (pupil_id) REFERENCES pupils(pupil_id));

INSERT INTO teachers VALUES
(1, 'Anton', 'piano', 45, 20),
(2, 'Bianca', 'violin', 50, 12),
(3, 'Cyril', 'guitar', 30, 4),
(4, 'Dagmar', 'piano', 38, 9),
(5, 'Elias', 'flute', 35, 7),
(6, 'Flora', 'guitar', 42, 15),
(7, 'Gideon', 'piano', 60, 26),
(8, 'Hanna', 'cello', 55, 17);

INSERT INTO pupils VALUES
(1, 'Jonas', 11, 'Elmfield', 1),
(2, 'Keiko', 14, 'Norton', 2),
(3, 'Leo', 9, 'Elmfield', 3),
(4, 'Mina', 16, 'Westby', 1),
(5, 'Noor', 12, 'Norton', 6),
(6, 'Oscar', 17, 'Elmfield', 7),
(7, 'Priya', 13, 'Westby', 5),
(8, 'Quinn', 10, 'Elmfield', 4),
(9, 'Rita', 15, 'Norton', 2),
(10, 'Samir', 6, 'Dalton', 3),
(11, 'Tilda', 18, 'Elmfield', 3),
(12, 'Ugo', 19, 'Westby', 7),
(13, 'Wilma', 5, 'Elmfield', 6);

INSERT INTO exams VALUES
(1, 1, 'bronze', 'Minuet', 71),
(2, 2, 'silver', 'Sonata', 84),
(3, 4, 'gold', 'Nocturne', 93),
(4, 5, 'silver', 'Serenade', 66),
(5, 6, 'gold', 'Prelude', 88),
(6, 7, 'bronze', 'Waltz', 77),
(7, 8, 'bronze', 'Minuet', 59),
(8, 9, 'silver', 'Sonata', 90),
(9, 11, 'gold', 'Nocturne', 81),
(10, 1, 'silver', 'Waltz', 79),
(11, 4, 'silver', 'Sonata', 95),
(12, 3, 'bronze', 'March', 62),
(13, 2, 'gold', 'Serenade', 74),
(14, 11, 'bronze', 'Waltz', 69),
(15, 9, 'bronze', 'Minuet', 85),
(16, 1, 'bronze', 'March', 54);
