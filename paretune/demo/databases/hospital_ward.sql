CREATE TABLE rooms (room_id INTEGER PRIMARY KEY, kind TEXT, beds INTEGER, floor INTEGER);
CREATE TABLE nurses (nurse_id INTEGER PRIMARY KEY, name TEXT, shift TEXT, experience INTEGER, pay INTEGER);
CREATE TABLE patients (patient_id INTEGER PRIMARY KEY, name TEXT, illness TEXT, age INTEGER, days INTEGER,
room_id INTEGER, nurse_id INTEGER, FOREIGN KEY (room_id) REFERENCES rooms(room_id),
FOREIGN KEY (nurse_id) REFERENCES nurses(nurse_id));

INSERT INTO rooms VALUES
(101, 'shared', 4, 1),
(102, 'shared', 6, 1),
(103, 'private', 1, 1),
(201, 'private', 1, 2),
(202, 'isolation', 2, 2),
(203, 'shared', 3, 2),
(301, 'private', 1, 3),
(302, 'isolation', 1, 3),
(303, 'shared', 5, 3);

INSERT INTO nurses VALUES
(1, 'Teresa', 'night', 12, 3400),
(2, 'Osvaldo', 'morning', 4, 2600),
(3, 'Miriam', 'evening', 9, 3050),
(4, 'Leandro', 'night', 2, 2450),
(5, 'Cristina', 'morning', 20, 3900),
(6, 'Samuel', 'morning', 7, 2850),
(7, 'Ingrid', 'evening', 15, 3550),
(8, 'Patrice', 'night', 6, 2780);

INSERT INTO patients VALUES
(1, 'Alma', 'asthma', 34, 3, 101, 2),
(2, 'Benedito', 'pneumonia', 71, 12, 202, 1),
(3, 'Cora', 'fracture', 19, 5, 102, 3),
(4, 'Donato', 'pneumonia', 58, 9, 202, 1),
(5, 'Edda', 'diabetes', 63, 6, 103, 5),
(6, 'Fausto', 'fracture', 46, 8, 102, 3),
(7, 'Gilda', 'asthma', 27, 2, 101, 2),
(8, 'Horst', 'infection', 52, 14, 302, 8),
(9, 'Irene', 'fracture', 80, 21, 102, 5),
(10, 'Jorge', 'diabetes', 49, 4, 203, 6),
(11, 'Katia', 'pneumonia', 8, 7, 201, 5),
(12, 'Lothar', 'infection', 66, 11, 302, 1),
(13, 'Mafalda', 'asthma', 41, 1, 203, 6),
(14, 'Nestor', 'fracture', 23, 10, 101, 5),
(15, 'Olga', 'migraine', 37, 3, 203, 2);
